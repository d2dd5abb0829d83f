//! Prints the custom resource definitions. With two arguments it writes each into the folder that the first names, and the
//! page of what works where into the file that the second names.

use std::path::Path;
use std::{env, fs, io};

use technical_user_operator::plan::capability_page::page;
use technical_user_operator::plan::definitions::definitions;

fn main() -> io::Result<()> {
    let (folder, file) = (env::args().nth(1), env::args().nth(2));
    for (plural, definition) in definitions()? {
        let yaml = serde_saphyr::to_string(&definition).map_err(io::Error::other)?;
        match &folder {
            Some(folder) => fs::write(Path::new(folder).join(format!("{plural}.yaml")), yaml)?,
            None => println!("---\n{yaml}"),
        }
    }
    file.map_or(Ok(()), |file| fs::write(file, page()))
}
