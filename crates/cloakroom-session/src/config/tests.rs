use super::*;

fn error(toml: &str) -> String {
    Config::from_toml(toml).unwrap_err().to_string()
}

#[test]
fn everything_astro_configures_is_read() {
    let config = Config::from_json(
        r#"{
            "driver": "lru-cache",
            "options": { "max": 10 },
            "ttl": 3600,
            "cookie": {
                "name": "sid", "domain": "example.com", "path": "/shop",
                "maxAge": 60, "sameSite": "Strict", "secure": false
            }
        }"#,
    )
    .unwrap();
    assert_eq!(config.driver, "lru-cache");
    assert_eq!(config.options["max"], 10);
    assert_eq!(config.ttl, Some(Duration::from_secs(3600)));
    assert_eq!(
        config.cookie,
        CookieConfig {
            name: "sid".into(),
            domain: Some("example.com".into()),
            path: "/shop".into(),
            max_age: Some(60),
            same_site: SameSite::Strict,
            secure: false,
            partitioned: false,
            host_prefix: false,
        }
    );
}

#[test]
fn an_empty_configuration_is_the_default_files_on_disk() {
    let config = Config::from_toml("").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.driver, "fs-lite");
    assert_eq!(config.options["base"], ".data/sessions");
}

#[test]
fn a_driver_without_options_does_not_inherit_those_of_the_default() {
    assert!(Config::from_toml("driver = 'memory'").unwrap().options.is_empty());
}

#[test]
fn a_cookie_may_be_its_name_alone() {
    assert_eq!(Config::from_toml("cookie = 'sid'").unwrap().cookie.name, "sid");
}

#[test]
fn the_driver_may_be_written_as_astro_6_does() {
    let toml = "driver = { entrypoint = 'unstorage/drivers/fs-lite', config = { base = 'x' } }";
    let config = Config::from_toml(toml).unwrap();
    assert_eq!((config.driver.as_str(), config.options["base"].as_str()), ("fs-lite", Some("x")));
}

#[test]
fn the_whole_may_stand_under_session() {
    assert_eq!(Config::from_toml("[session]\nttl = 5").unwrap().ttl, Some(Duration::from_secs(5)));
}

#[test]
fn same_site_takes_every_form_of_astros() {
    let read = |value: &str| {
        Config::from_toml(&format!("cookie.sameSite = {value}")).unwrap().cookie.same_site
    };
    assert_eq!(read("true"), SameSite::Strict);
    assert_eq!(read("false"), SameSite::Omit);
    assert_eq!(read("'LAX'"), SameSite::Lax);
    assert_eq!(read("'none'"), SameSite::None);
}

#[test]
fn a_typo_is_answered_with_the_nearest_key() {
    assert!(
        error("drvier = 'memory'")
            .contains("unknown key `drvier` in the configuration: did you mean `driver`?")
    );
    assert!(error("cookie.samesite = 'lax'").contains("did you mean `cookie.sameSite`?"));
    assert!(error("cookie.max_age = 5").contains("did you mean `cookie.maxAge`?"));
    assert!(error("colour = 'red'").contains("it can be one of driver, adapter, options"));
}

#[test]
fn an_impossible_value_is_named_with_its_key() {
    assert!(error("ttl = -1").contains("ttl is -1"));
    assert!(error("ttl = 'soon'").contains("ttl is \"soon\""));
    assert!(error("ttl = 0").contains("ttl is 0"));
    assert!(error("driver = 7").contains("driver is 7"));
    assert!(error("cookie = 7").contains("cookie is 7"));
    assert!(error("cookie.sameSite = 'loose'").contains("cookie.sameSite is \"loose\""));
    assert!(error("cookie.httpOnly = false").contains("always HttpOnly"));
    assert!(error("options = []").contains("options is a list"));
    assert!(error("ttl = ").contains("not TOML"));
}

#[test]
fn a_file_is_named_in_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.toml");
    std::fs::write(&path, "tll = 5").unwrap();
    let error = Config::from_file(&path).unwrap_err().to_string();
    assert!(error.contains("shop.toml") && error.contains("`ttl`"), "{error}");

    let missing = Config::from_file(folder.path().join("none.toml")).unwrap_err().to_string();
    assert!(missing.contains("none.toml"), "{missing}");
    let other = Config::from_file(folder.path().join("shop.yaml")).unwrap_err().to_string();
    assert!(other.contains("shop.yaml"), "{other}");
}

#[cfg(not(feature = "astro-config"))]
#[test]
fn an_astro_configuration_is_told_which_feature_reads_it() {
    let error = Config::from_file("astro.config.mjs").unwrap_err().to_string();
    assert!(error.contains("astro.config.mjs") && error.contains("`astro-config`"), "{error}");
}

#[test]
fn the_environment_goes_over_the_file_key_by_key() {
    let mut map = tables::toml("ttl = 5\ncookie = { name = 'sid', path = '/shop' }").unwrap();
    tables::put_over(
        &mut map,
        tables::json(r#"{ "ttl": 6, "cookie": { "path": "/" } }"#).unwrap(),
        None,
    );
    let config = Config::from_map(map).unwrap();
    assert_eq!(config.ttl, Some(Duration::from_secs(6)));
    assert_eq!((config.cookie.name.as_str(), config.cookie.path.as_str()), ("sid", "/"));
}

/// What `cloakroom.toml` and these variables come to.
fn loaded(file: &str, variables: &[(&str, &str)]) -> Result<Config> {
    let map = tables::in_one_form(tables::toml(file)?)?;
    let mut sources = Sources::default();
    sources.note(&map, "cloakroom.toml");
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    Config::over(map, sources, environment::read(variables)?, None)
}

#[test]
fn each_setting_says_where_it_comes_from() {
    let file = "driver = 'fs-lite'\noptions = { base = '.data' }\nttl = 5\ncookie = 'sid'";
    let variables = [("CLOAKROOM_SESSION_DRIVER", "memory"), ("CLOAKROOM_SESSION_IDLE", "60")];
    let said = loaded(file, &variables).unwrap().said_by();
    assert_eq!(
        said,
        "cookie.name: cloakroom.toml, driver: CLOAKROOM_SESSION_DRIVER, idle: CLOAKROOM_SESSION_IDLE, \
         ttl: cloakroom.toml"
    );
    assert_eq!(Config::default().said_by(), "the program");
}

#[test]
fn a_mistake_names_the_variable_or_the_file_that_makes_it() {
    let error = |file: &str, variables: &[_]| loaded(file, variables).unwrap_err().to_string();
    let unknown = error("", &[("CLOAKROOM_SESSION_TTTL", "5")]);
    assert!(
        unknown.contains("did you mean `ttl`? (it is set by CLOAKROOM_SESSION_TTTL)"),
        "{unknown}"
    );
    let wrong = error("ttl = 5", &[("CLOAKROOM_SESSION_TTL", "soon")]);
    assert!(
        wrong.contains("ttl is \"soon\"") && wrong.ends_with("CLOAKROOM_SESSION_TTL)"),
        "{wrong}"
    );
    let cookie = error("cookie = 'sid'", &[("CLOAKROOM_SESSION_COOKIE_SECURE", "off")]);
    assert!(cookie.ends_with("(it is set by CLOAKROOM_SESSION_COOKIE_SECURE)"), "{cookie}");
    assert!(error("ttl = 0", &[]).ends_with("(it is set by cloakroom.toml)"));
}

/// What `cloakroom.toml` and these variables come to is not enough for a store.
async fn not_opened(file: &str, variables: &[(&str, &str)]) -> String {
    let config = loaded(file, variables).unwrap();
    crate::Sessions::from_config(config).await.unwrap_err().to_string()
}

#[tokio::test]
async fn what_a_driver_refuses_names_the_variable_or_the_file_that_says_it() {
    let file = "driver = 'fs-lite'\noptions = { bas = '.data', readOnly = true }";
    let misspelt = not_opened(file, &[("CLOAKROOM_SESSION_OPTIONS_NO_CLEAR", "true")]).await;
    assert!(misspelt.ends_with("did you mean `base`? (it is set by cloakroom.toml)"), "{misspelt}");
    let variable = ("CLOAKROOM_SESSION_OPTIONS_READ_ONLY", "yes");
    let mistyped = not_opened(&file.replace("bas ", "base "), &[variable]).await;
    assert!(
        mistyped.contains("`readOnly`") && mistyped.ends_with("OPTIONS_READ_ONLY)"),
        "{mistyped}"
    );

    let unknown = not_opened("driver = 'fs-light'", &[]).await;
    assert!(unknown.ends_with("(it is set by cloakroom.toml)"), "{unknown}");
    let unknown = not_opened("driver = 'redis'", &[("CLOAKROOM_SESSION_DRIVER", "redes")]).await;
    assert!(unknown.ends_with("(it is set by CLOAKROOM_SESSION_DRIVER)"), "{unknown}");
}

#[test]
fn what_may_be_any_option_names_all_who_said_one() {
    let file = "driver = 'redis'\noptions = { url = 'a', base = 'b' }";
    let variable = ("CLOAKROOM_SESSION_OPTIONS_DB", "1");
    let error = cloakroom_storage::options::invalid("redis", "they do not go together");
    let said =
        |file: &str, variables: &[_]| loaded(file, variables).unwrap().said_what_failed(&error);
    assert_eq!(
        said(file, &[variable]).unwrap(),
        "the options are set by CLOAKROOM_SESSION_OPTIONS_DB and cloakroom.toml"
    );
    assert_eq!(said("driver = 'redis'", &[]), None);
    // What the program itself says, it knows.
    let config = loaded(file, &[]).unwrap().option("tls", "yes");
    assert_eq!(config.said_what_failed(&error.with_option("tls")), None);
}

#[test]
fn debugging_shows_which_options_there_are_and_not_what_they_say() {
    let config = Config::new("redis").option("url", "redis://user:hunter2@localhost/0");
    let shown = format!("{config:?} {config:#?}");
    assert!(shown.contains("url") && !shown.contains("hunter2"), "{shown}");
    let shown = format!("{:?}", Config::new("redis://user:hunter2@localhost/0"));
    assert!(shown.contains("driver") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_sweep_that_never_rests_is_refused_and_zero_in_a_file_means_never() {
    let mut config = Config::new("memory");
    config.sweep_interval = Some(Duration::ZERO);
    assert!(config.check().unwrap_err().to_string().contains("sweep_interval"));
    assert_eq!(Config::from_toml("sweepInterval = 0").unwrap().sweep_interval, None);
}

#[test]
fn timeouts_and_outages_are_configured_in_seconds_and_words() {
    let config = Config::from_toml(
        "driver = 'memory'\nidle = 1800\nabsolute = 86400\ntouchInterval = 30\noutage = 'readOnly'\nretries = 0",
    )
    .unwrap();
    assert_eq!(config.idle, Some(Duration::from_secs(1800)));
    assert_eq!(config.absolute, Some(Duration::from_secs(86_400)));
    assert_eq!(config.touch_interval, Some(Duration::from_secs(30)));
    assert_eq!(config.outage, OutagePolicy::ReadOnly);
    assert_eq!(config.retries, 0);
}

#[test]
fn a_touch_interval_is_a_tenth_of_the_idle_timeout_and_a_minute_at_most() {
    let interval = |toml| Config::from_toml(toml).unwrap().lifetime().touch_interval;
    assert_eq!(interval("idle = 100"), Duration::from_secs(10));
    assert_eq!(interval("idle = 86400"), Duration::from_secs(60));
    assert_eq!(interval("idle = 86400\ntouchInterval = 3600"), Duration::from_secs(3600));
}

#[test]
fn timeouts_and_outages_that_make_no_sense_are_named() {
    assert!(error("idle = 0").contains("idle is 0"));
    assert!(error("absolute = 0").contains("absolute is 0"));
    assert!(error("idle = 60\ntouchInterval = 60").contains("touchInterval must be the smaller"));
    assert!(error("outage = 'readonly'").contains("outage is \"readonly\": it must be"));
    assert!(error("iddle = 60").contains("did you mean `idle`"));
}

#[test]
fn what_becomes_of_a_record_that_cannot_be_read_is_one_of_two_words() {
    assert_eq!(Config::default().corrupt, CorruptPolicy::Error);
    let read = |toml| Config::from_toml(toml).unwrap().corrupt;
    assert_eq!(read("corrupt = 'error'"), CorruptPolicy::Error);
    assert_eq!(read("corrupt = 'quarantine'"), CorruptPolicy::Quarantine);
    assert_eq!(
        error("corrupt = 'remove'"),
        "corrupt is \"remove\": it must be \"error\" or \"quarantine\""
    );
    assert!(error("corrupt = true").contains("corrupt is true"));
    assert!(error("corupt = 'error'").contains("did you mean `corrupt`"));
    let variable = ("CLOAKROOM_SESSION_CORRUPT", "quarantine");
    assert_eq!(loaded("", &[variable]).unwrap().corrupt, CorruptPolicy::Quarantine);
}
