//! Shells complete the commands, and each has a page.

use std::fs;
use std::process::Command;

use crate::support::program;

fn commands() -> Vec<String> {
    let help = program(&["--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.take_while(|line| !line.is_empty()).filter_map(|line| {
        line.strip_prefix("  ")?.split_whitespace().next().filter(|name| *name != "help")
    });
    names.map(str::to_owned).collect()
}

#[test]
fn bash_completes_a_commands_name_and_its_options() {
    let folder = tempfile::tempdir().unwrap();
    let script = program(&["completions", "bash"]).output().unwrap();
    let path = folder.path().join("cloakroom");
    fs::write(&path, &script.stdout).unwrap();
    let complete = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let (at, last) = (words.len() - 1, words.last().unwrap());
        let before = words[at - 1];
        let run = format!(
            "source {}; COMP_WORDS=({line}); COMP_CWORD={at}; _cloakroom cloakroom '{last}' '{before}'; echo ${{COMPREPLY[@]}}",
            path.display()
        );
        let output = Command::new("bash").args(["-c", &run]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete("cloakroom doc"), "doctor\n");
    assert_eq!(complete("cloakroom list --prin"), "--principal\n");
}

#[test]
fn there_is_a_script_for_each_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = program(&["completions", shell]).output().unwrap();
        assert!(script.status.success());
        let script = String::from_utf8(script.stdout).unwrap();
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
}

#[test]
fn each_command_has_a_page_with_its_examples() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man1");
    let written = program(&["man", "--out", out.to_str().unwrap()]).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    for command in commands() {
        let page = fs::read_to_string(out.join(format!("cloakroom-{command}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains(".SH SYNOPSIS"), "{command}");
        assert!(page.contains("Examples:"), "{command}: {page}");
    }
    let whole = program(&["man"]).output().unwrap();
    assert_eq!(fs::read(out.join("cloakroom.1")).unwrap(), whole.stdout);
    // Where there is a program that reads pages, it has nothing to say against them.
    for page in fs::read_dir(&out).unwrap().map(|page| page.unwrap().path()) {
        let Ok(read) =
            Command::new("groff").args(["-k", "-man", "-Tutf8", "-ww", "-z"]).arg(&page).output()
        else {
            continue;
        };
        assert_eq!(String::from_utf8_lossy(&read.stderr), "", "{}", page.display());
    }
}
