//! The README's curl transcript, run line by line against the shop.

// Clippy's leave for tests reaches test functions alone, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[test]
fn the_readmes_transcript_is_what_happens() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::start(folder.path());
    let transcript = transcript();
    assert!(transcript.len() >= 5, "the transcript is missing from the README");
    for (command, expected) in transcript {
        let command = command.replace("http://localhost:4321", &shop.address);
        let output =
            Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<String> = output.lines().map(|line| without_id(line.trim_end())).collect();
        assert_eq!(lines, expected, "{command}");
    }
}

#[test]
fn each_configurations_first_line_is_the_command_that_opens_the_shop_on_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut checked = 0;
    for path in files.filter(|path| path.extension().is_some_and(|it| it == "toml")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "Cargo.toml" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let config = cloakroom::Config::from_file(&path).unwrap();
        let feature = match config.driver.as_str() {
            "fs-lite" | "memory" => "",
            "redis" => "--features redis ",
            "db0" | "sql" => "--features databases ",
            driver => panic!("{name}: which feature of the shop has `{driver}`?"),
        };
        let command = format!("# cargo run -p shop {feature}-- --config examples/shop/{name}");
        assert_eq!(text.lines().next(), Some(&*command));
        checked += 1;
    }
    assert!(checked >= 7, "{checked} files");
}

/// Each command with the lines that it prints.
fn transcript() -> Vec<(String, Vec<String>)> {
    let readme = include_str!("../../../README.md");
    let block = readme.split("```console\n$ ").nth(1).unwrap().split("```").next().unwrap();
    block
        .split("\n$ ")
        .map(|step| {
            let mut lines = step.lines().map(str::to_owned);
            (lines.next().unwrap(), lines.collect())
        })
        .collect()
}

/// The ID is random, and the README says `<id>`.
fn without_id(line: &str) -> String {
    match line.split_once("astro-session=") {
        Some((before, rest)) => format!("{before}astro-session=<id>{}", &rest[36..]),
        None => line.to_owned(),
    }
}

struct Shop {
    process: Child,
    address: String,
}

impl Shop {
    /// Starts the shop on a free port and waits until it says where it listens.
    fn start(folder: &Path) -> Shop {
        let mut process = Command::new(env!("CARGO_BIN_EXE_shop"))
            .env("PORT", "0")
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines.next().unwrap().unwrap();
        let address = ready.strip_prefix("shop: listening on ").unwrap().to_owned();
        Shop { process, address }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
