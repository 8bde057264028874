//! Names of images and what decides over credentials for them: a name in its full form is read as itself, and nothing
//! panics, whatever the configuration of the credentials.

#![no_main]

use libfuzzer_sys::fuzz_target;
use orlop_image::{Config, Keyring, Platform, Reference, User, location_matches, with_default_tag};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(reference) = Reference::parse(first) {
        let full = reference.to_string();
        if !reference.registry().is_empty() {
            assert_eq!(Reference::parse(&full).as_ref(), Ok(&reference), "{full}");
        }
        let tagged = with_default_tag(first).expect("it is a name");
        assert_eq!(Reference::parse(&tagged).expect("it is one still"), reference);
    }
    let _ = location_matches(first, rest);
    if let Ok(platform) = first.parse::<Platform>() {
        assert_eq!(platform.to_string().parse().as_ref(), Ok(&platform));
    }
    let mut keys = Keyring::new();
    if keys.add_config(rest.as_bytes(), "fuzz").is_ok() || keys.add_auths(rest.as_bytes(), "fuzz").is_ok() {
        let _ = keys.lookup(first);
    }
    let _ = User::resolve(first, rest.as_bytes(), rest.as_bytes());
    if let Ok(config) = Config::read(bytes) {
        let _ = (config.chain_ids(), config.exposed_ports(), config.platform());
    }
});
