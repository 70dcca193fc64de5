use super::super::sources::Sources;
use super::super::{Config, environment, tables};
use crate::error::Result;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// What `cloakroom.toml` and these variables come to.
fn loaded(file: &str, variables: &[(&str, &str)]) -> Result<Config> {
    let map = tables::in_one_form(tables::toml(file)?)?;
    let mut sources = Sources::default();
    sources.note(&map, "cloakroom.toml");
    let variables = variables
        .iter()
        .map(|(name, value)| (format!("CLOAKROOM_SESSION_{name}").into(), value.into()));
    Config::over(map, sources, environment::read(variables)?, None)
}

#[cfg(not(all(feature = "encryption", feature = "hash-ids")))]
#[test]
fn what_is_not_compiled_in_is_named_and_not_left_out() {
    for (key, setting, feature, is_there) in [
        (
            "encryption",
            format!("encryption.keys = ['{KEY}']"),
            "encryption",
            cfg!(feature = "encryption"),
        ),
        ("hashIds", "hashIds = true".to_owned(), "hash-ids", cfg!(feature = "hash-ids")),
    ] {
        let read = loaded(&setting, &[]);
        if is_there {
            read.unwrap();
            continue;
        }
        let error = read.unwrap_err().to_string();
        let expected = format!("{key} needs the feature `{feature}` of cloakroom: enable it");
        assert_eq!(error, format!("{expected} (it is set by cloakroom.toml)"));
    }
    assert_eq!(loaded("hashIds = false", &[]).unwrap(), Config::default());
}

#[cfg(all(feature = "encryption", feature = "hash-ids"))]
mod with_both {
    use cloakroom_storage::{EncryptionKey, KeyHasher};

    use super::*;
    use crate::{ErrorKind, Sessions};

    const OTHER: &str = "f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f1011121314151617";
    /// As long as a secret, and half as long as a key.
    const SECRET: &str = "hunter2hunter2hunter2";

    fn refusal(file: &str, variables: &[(&str, &str)]) -> String {
        let error = loaded(file, variables).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let shown = format!("{error} {error:?}");
        for secret in [KEY, OTHER, SECRET, "hunter2"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        error.to_string()
    }

    fn keys() -> Vec<EncryptionKey> {
        [KEY, OTHER].map(|text| text.parse().unwrap()).into()
    }

    #[test]
    fn a_file_says_which_keys_there_are_and_the_environment_says_it_over_it() {
        let file = format!("[encryption]\nkeys = ['{KEY}', '{OTHER}']\nacceptPlain = true");
        let config = loaded(&file, &[]).unwrap().encryption.unwrap();
        assert_eq!((config.keys, config.accept_plain), (keys(), true));
        let list = format!("['{OTHER}']").replace('\'', "\"");
        for text in [OTHER, &list, &format!(" {OTHER} ,")] {
            let config = loaded(&file, &[("ENCRYPTION_KEYS", text)]).unwrap().encryption.unwrap();
            assert_eq!((&config.keys[..], config.accept_plain), (&keys()[1..], true), "{text}");
        }
        let both = [("ENCRYPTION_KEYS", &*format!("{KEY},{OTHER}"))];
        assert_eq!(loaded("", &both).unwrap().encryption.unwrap().keys, keys());
    }

    #[test]
    fn a_key_of_digits_alone_is_no_number() {
        let digits = "1".repeat(64);
        let config = loaded("", &[("ENCRYPTION_KEYS", &digits)]).unwrap();
        assert_eq!(config.encryption.unwrap().keys, [digits.parse().unwrap()]);
        let secret = "1".repeat(16);
        let config = loaded("", &[("HASH_IDS_SECRET", &secret)]).unwrap();
        assert_eq!(config.hash_ids, Some(KeyHasher::hmac_sha256(secret).unwrap()));
    }

    #[test]
    fn ids_are_hashed_with_a_secret_or_without() {
        let hasher = |file: &str, variables: &[_]| loaded(file, variables).unwrap().hash_ids;
        assert_eq!(hasher("", &[]), None);
        assert_eq!(hasher("hashIds = false", &[]), None);
        assert_eq!(hasher("hashIds = true", &[]), Some(KeyHasher::sha256()));
        assert_eq!(hasher("", &[("HASH_IDS", "true")]), Some(KeyHasher::sha256()));
        let keyed = Some(KeyHasher::hmac_sha256(SECRET).unwrap());
        assert_eq!(hasher(&format!("hashIds.secret = '{SECRET}'"), &[]), keyed);
        assert_eq!(hasher("hashIds = true", &[("HASH_IDS_SECRET", SECRET)]), keyed);
    }

    #[test]
    fn what_is_wrong_says_where_it_was_said_and_not_what() {
        let cut = &OTHER[2..];
        let file = format!("encryption.keys = ['{KEY}', '{cut}']");
        let refused = refusal(&file, &[]);
        assert!(
            refused.starts_with("encryption.keys: number 2: a key has 31 bytes: it must be 32")
        );
        assert!(refused.ends_with("(it is set by cloakroom.toml)") && !refused.contains(cut));
        let refused = refusal("", &[("ENCRYPTION_KEYS", SECRET)]);
        assert!(refused.ends_with("(it is set by CLOAKROOM_SESSION_ENCRYPTION_KEYS)"), "{refused}");
        let refused = refusal("", &[("HASH_IDS_SECRET", "hunter2")]);
        assert!(refused.starts_with("hashIds.secret: the secret has 7 bytes"), "{refused}");
        assert!(refused.ends_with("(it is set by CLOAKROOM_SESSION_HASH_IDS_SECRET)"), "{refused}");
        for (file, told) in [
            (format!("encryption = '{SECRET}'"), "encryption is a text: it must be a table"),
            (format!("hashIds = '{SECRET}'"), "hashIds is a text: it must be true, false"),
            ("hashIds.secret = 12345".into(), "hashIds.secret: it is a number, and must be a text"),
            ("hashIds = {}".into(), "hashIds.secret: it is missing"),
            ("encryption.keys = [1]".into(), "number 1: it is a number, and must be a text"),
            ("encryption = {}".into(), "encryption has no keys"),
            (format!("encryption = {{ keys = '{KEY}', keyFile = 'x' }}"), "both keys and keyFile"),
            (format!("encryption.key = '{KEY}'"), "did you mean `encryption.keys`?"),
            ("encryption.accept_plain = true".into(), "did you mean `encryption.acceptPlain`?"),
            ("hashIds.secrets = 'x'".into(), "did you mean `hashIds.secret`?"),
            ("hash_ids = true".into(), "did you mean `hashIds`?"),
        ] {
            let refused = refusal(&file, &[]);
            assert!(refused.contains(told), "{refused}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let file = format!("encryption.keys = ['{KEY}', '{OTHER}']\nhashIds.secret = '{SECRET}'");
        let shown = format!("{:#?}", loaded(&file, &[]).unwrap());
        assert!(shown.contains(keys()[0].id()) && shown.contains("HMAC"), "{shown}");
        assert!(!shown.contains(KEY) && !shown.contains(OTHER) && !shown.contains(SECRET));
        assert!(!shown.contains("248, 249, 250"), "the bytes of a key: {shown}");
    }

    #[tokio::test]
    async fn a_file_of_keys_is_read_when_the_store_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let open = async |text: &str| {
            std::fs::write(&path, text).unwrap();
            let mut config = Config::new("memory");
            let toml = format!("encryption.keyFile = '{}'", path.display());
            config.encryption = Config::from_toml(&toml).unwrap().encryption;
            Sessions::from_config(config).await.map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(open(&format!("# the new one\n{KEY}\r\n\n  {OTHER}\n")).await, Ok(()));
        let refused = open(&format!("{KEY}\n{}\n", &OTHER[2..])).await.unwrap_err();
        assert!(refused.contains(&path.display().to_string()), "{refused}");
        assert!(refused.contains("line 2: a key has 31 bytes"), "{refused}");
        assert!(!refused.contains(&OTHER[2..]));
        assert!(open("# none\n").await.unwrap_err().contains("there is no key"));
        assert!(open(&format!("{KEY}\n{KEY}")).await.unwrap_err().contains("twice"));
        std::fs::remove_file(&path).unwrap();
        let mut config = Config::new("memory");
        config.encryption = loaded("encryption.keyFile = 'none/there'", &[]).unwrap().encryption;
        let error = Sessions::from_config(config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("none/there"), "{error}");
    }
}
