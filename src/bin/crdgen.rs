//! Prints the custom resource definitions, or writes each into the folder that is named.

use std::{fs, io, path::Path};

use technical_user_operator::api::definitions::definitions;

fn main() -> io::Result<()> {
    for (plural, definition) in definitions()? {
        let yaml = serde_saphyr::to_string(&definition).map_err(io::Error::other)?;
        match std::env::args().nth(1) {
            Some(folder) => fs::write(Path::new(&folder).join(format!("{plural}.yaml")), yaml)?,
            None => println!("---\n{yaml}"),
        }
    }
    Ok(())
}
