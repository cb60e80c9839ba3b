//! Generates messages and clients of every service from the folder that PROTOS names, that of this clone without it.
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-env-changed=PROTOS");
    let clone = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../protos");
    let protos = std::env::var("PROTOS").map_or(clone, PathBuf::from);
    println!("cargo:rerun-if-changed={}", protos.display());
    let files: Vec<PathBuf> = std::fs::read_dir(protos.join("absfinance/v1"))?
        .map(|entry| entry.map(|found| found.path()))
        .collect::<Result<_, _>>()?;
    tonic_prost_build::configure()
        .build_server(true)
        .include_file("mod.rs")
        .compile_protos(&files, &[protos])?;
    Ok(())
}
