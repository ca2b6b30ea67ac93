//! The floor: as little as an actix-web server can do for an answer of a given size, with or without one signature.

use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{App, HttpResponse, HttpServer};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;

use crate::load::Request;

/// The floor's counterpart of a request.
pub fn like(request: &Request, body_bytes: usize) -> Request {
    if request.is_post() {
        let body = request.bytes().windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let body = String::from_utf8_lossy(&request.bytes()[body..]).into_owned();
        Request::post(&format!("/signed/{body_bytes}"), Some("Basic c2VydmljZTpzZWNyZXQ="), &body)
    } else {
        Request::get(&format!("/bytes/{body_bytes}"))
    }
}

pub fn serve(port: u16) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key: PKey<Private> = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            App::new()
                .app_data(Data::new(key.clone()))
                .app_data(Data::new(Bytes::from(vec![b'x'; 16_384])))
                .route("/bytes/{size}", web::get().to(bytes))
                .route("/signed/{size}", web::post().to(signed))
        })
        .bind(("127.0.0.1", port))
        .unwrap()
        .run()
        .await
        .unwrap();
    });
}

async fn bytes(size: Path<usize>, all: Data<Bytes>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(all.slice(..*size))
}

async fn signed(size: Path<usize>, _: Bytes, all: Data<Bytes>, key: Data<PKey<Private>>) -> HttpResponse {
    let body = all.slice(..*size);
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    // What is signed is about as long as the token's header and claims.
    let signature = signer.sign_oneshot_to_vec(&body[..body.len() / 2]).unwrap();
    std::hint::black_box(signature);
    HttpResponse::Ok().content_type("application/json").body(body)
}
