//! The modules of the OpenID Foundation's certification profiles, as tests of our own: the suite itself cannot be had on the
//! machines that build this. Each test is named after the module that it stands for and checks what that checks, from
//! outside, over TLS, with clients that register themselves. What the suite only warns of is a failure here.

mod backchannel_logout;
mod basic;
mod checks;
mod config;
mod form_post;
mod modules;
mod rp_logout;
mod suite;
