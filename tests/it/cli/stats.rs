//! `countersign stats`.

use super::with_api;

#[test]
fn stats_tells_rows_and_dead_rows_of_each_table_and_the_size() {
    let home = with_api();
    home.ok(&["role", "add", "editor"]);
    let told = home.ok(&["stats"]);
    let row = |name: &str| {
        let line = told.lines().find(|line| line.starts_with(name)).unwrap();
        line.strip_prefix(name).unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("TABLE"), ["ROWS", "DEAD"]);
    assert_eq!(row("roles"), ["1"], "{told}");
    assert_eq!(row("refresh_tokens"), ["0", "0"], "{told}");
    assert_eq!(row("the whole database")[1], "MB", "{told}");
    let json = home.json(&["stats"]);
    let tables = json["tables"].as_array().unwrap();
    let roles = tables.iter().find(|table| table["table"] == "roles").unwrap();
    assert_eq!(roles["rows"], 1);
    assert!(roles["dead"].is_null(), "roles do not die of age");
    assert!(json["bytes"].as_i64().unwrap() > 100_000);
}
