//! The floor: as little as an actix-web server can do for an answer of a given size, with or without one signature.

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;

use crate::load::Request;

/// The base64url form of an ES256 signature: the part of a token that is not itself signed.
const SIGNATURE_CHARS: usize = 86;

/// The floor's counterpart of a request: the same to the byte but for the path.
pub fn like(request: &Request, body_bytes: usize) -> Request {
    let path = if request.is_post() { signed_path(body_bytes) } else { bytes_path(body_bytes) };
    request.redirected(&path)
}

pub fn bytes_path(body_bytes: usize) -> String {
    format!("/bytes/{body_bytes}")
}

fn signed_path(body_bytes: usize) -> String {
    format!("/signed/{body_bytes}")
}

/// Serves bodies of these sizes, each under paths of its own, so that the router compares strings and no more.
pub fn serve(port: u16, sizes: &[usize]) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key: PKey<Private> = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let bodies: Vec<Bytes> = sizes.iter().map(|size| Bytes::from(vec![b'x'; *size])).collect();
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            bodies.iter().fold(App::new().app_data(Data::new(key.clone())), |app, body| {
                let (plain, signed) = (body.clone(), body.clone());
                app.route(&bytes_path(body.len()), web::get().to(move || answer(plain.clone()))).route(
                    &signed_path(body.len()),
                    web::post().to(move |_: Bytes, key| sign_and_answer(signed.clone(), key)),
                )
            })
        })
        .bind(("127.0.0.1", port))
        .unwrap()
        .run()
        .await
        .unwrap();
    });
}

async fn answer(body: Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body)
}

async fn sign_and_answer(body: Bytes, key: Data<PKey<Private>>) -> HttpResponse {
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    let signature = signer.sign_oneshot_to_vec(&body[..body.len() - SIGNATURE_CHARS]).unwrap();
    std::hint::black_box(signature);
    answer(body).await
}
