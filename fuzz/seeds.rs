//! Makes the targets' first corpus of the vectors that the crate is tested with.

use std::{error::Error, fs, path::Path};

use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = fuzz.join("../crates/serde_devalue/tests/data");
    let mut texts = Vec::new();
    for file in ["vectors.json", "splice.json"] {
        collect(serde_json::from_slice(&fs::read(data.join(file))?)?, &mut texts);
    }
    for target in ["decode", "index", "roundtrip", "splice"] {
        let corpus = fuzz.join("corpus").join(target);
        fs::create_dir_all(&corpus)?;
        for (number, text) in texts.iter().enumerate() {
            fs::write(corpus.join(format!("seed-{number}")), text)?;
        }
    }
    println!("{} seeds for each target", texts.len());
    Ok(())
}

/// Every string that may be a devalue text.
fn collect(value: Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with(['[', '-', ' ']) => texts.push(text),
        Value::Array(items) => items.into_iter().for_each(|item| collect(item, texts)),
        Value::Object(fields) => {
            fields.into_iter().map(|(_, field)| field).for_each(|field| collect(field, texts))
        }
        _ => {}
    }
}
