//! The colours of the stylesheet, measured by WCAG 2.2 in the light and in the dark scheme.

use std::collections::BTreeMap;

use crate::http::pages::assets::STYLE_CSS;

/// Text over ground: at least 4.5:1 (WCAG 2.2, 1.4.3).
const TEXT: [(&str, &str); 19] = [
    ("ink", "paper"),
    ("ink", "card"),
    ("ink", "tint"),
    ("soft", "paper"),
    ("soft", "card"),
    ("soft", "tint"),
    ("accent", "card"),
    ("accent", "tint"),
    ("accent-strong", "card"),
    ("accent-strong", "tint"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("trouble-ink", "trouble-back"),
    ("card", "trouble"),
    ("trouble", "card"),
    ("trouble", "trouble-back"),
    ("ink", "trouble-back"),
    ("accent", "paper"),
    ("trouble-ink", "card"),
];

/// Borders of fields, marks and the focus ring over what is beside them: at least 3:1 (1.4.11, 2.4.13).
const EDGES: [(&str, &str); 6] = [
    ("line", "card"),
    ("accent", "card"),
    ("trouble", "card"),
    ("focus", "card"),
    ("focus", "tint"),
    ("focus", "paper"),
];

/// The custom properties that are colours, of one `:root` block.
fn colours(block: &str) -> BTreeMap<&str, [f64; 3]> {
    let block = block.split(":root {").nth(1).unwrap().split('}').next().unwrap();
    block
        .split(';')
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"))
        .filter(|(_, hex)| hex.len() == 6)
        .map(|(name, hex)| {
            let part = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
            (name, [part(0), part(2), part(4)])
        })
        .collect()
}

fn luminance(colour: [f64; 3]) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = part / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn contrast_is_measured_as_the_guidelines_do() {
    assert!((contrast([0.0; 3], [255.0; 3]) - 21.0).abs() < 1e-9);
    assert!((contrast([119.0; 3], [255.0; 3]) - 4.478).abs() < 0.001);
}

#[test]
fn text_and_edges_stand_out_in_light_and_dark() {
    let (light, dark) = STYLE_CSS.split_once("@media (prefers-color-scheme: dark)").unwrap();
    for (scheme, colours) in [("light", colours(light)), ("dark", colours(dark))] {
        assert_eq!(colours.len(), 14, "{scheme}: {:?}", colours.keys());
        for (pairs, floor) in [(&TEXT[..], 4.5), (&EDGES[..], 3.0)] {
            for (front, back) in pairs {
                let reached = contrast(colours[front], colours[back]);
                assert!(reached >= floor, "{scheme}: {front} on {back} reaches {reached:.2}, not {floor}");
            }
        }
    }
}

#[test]
fn no_colour_stands_outside_the_measured_ones() {
    let rules = STYLE_CSS.split("@media (prefers-color-scheme: dark)").nth(1).unwrap();
    let rules = rules.split_once("*, ::before").unwrap().1.replace("stroke='%23000'", "");
    assert!(!rules.contains('#') && !rules.contains("rgb("), "a colour is written where it is used");
}
