//! A certificate authority for one test.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{find, missing};

/// An authority, and a certificate of it for 127.0.0.1 and localhost.
pub(crate) struct Certificates {
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificates {
    pub(crate) fn make(folder: &Path) -> Option<Self> {
        let Some(openssl) = find("openssl") else { return missing("OpenSSL", "openssl") };
        let authority = folder.join("authority.pem");
        let authority_key = folder.join("authority-key.pem");
        let certificate = folder.join("certificate.pem");
        let key = folder.join("key.pem");
        let new = |subject: &str, key: &Path, certificate: &Path| {
            let mut command = Command::new(&openssl);
            command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
            command.args(["-nodes", "-days", "2", "-subj", subject]);
            command.arg("-keyout").arg(key).arg("-out").arg(certificate);
            command
        };
        run(&mut new("/CN=An authority for tests", &authority_key, &authority));
        let mut command = new("/CN=localhost", &key, &certificate);
        command.arg("-CA").arg(&authority).arg("-CAkey").arg(&authority_key);
        command.args(["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]);
        run(command.args(["-addext", "basicConstraints=critical,CA:FALSE"]));
        Some(Self { authority, certificate, key })
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("openssl starts");
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
}
