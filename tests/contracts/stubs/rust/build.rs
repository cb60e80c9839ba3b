//! Generates messages and clients of every service from the folder that PROTOS names.
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protos = PathBuf::from(std::env::var("PROTOS")?);
    let files: Vec<PathBuf> = std::fs::read_dir(protos.join("absfinance/v1"))?
        .map(|entry| entry.map(|found| found.path()))
        .collect::<Result<_, _>>()?;
    tonic_prost_build::configure()
        .build_server(true)
        .include_file("mod.rs")
        .compile_protos(&files, &[protos])?;
    Ok(())
}
