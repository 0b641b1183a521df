//! A PostgreSQL server of its own, on a free port of this machine.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A server in a temporary folder; stopped when dropped.
pub struct Server {
    pub url: String,
    tools: PathBuf,
    folder: tempfile::TempDir,
}

impl Server {
    /// With these settings besides the server's own (`-c name=value`).
    pub fn start(settings: &str) -> Self {
        let tools = tools().unwrap_or_else(|| {
            panic!(
                "PostgreSQL's initdb is not there: install it (`apt-get install postgresql`), \
                 or name its folder in MUSTER_POSTGRES_BIN"
            )
        });
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            // the server refuses to run as root
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let data = folder.path().join("data");
        let mut initdb = as_postgres(&tools.join("initdb"));
        // another order of letters than by bytes, so that the schema has to ask for its own
        run(initdb.arg("-D").arg(&data).args(["-A", "trust", "-U", "muster", "-E", "UTF8", "--no-sync"]).args([
            "--locale-provider=icu",
            "--icu-locale=en-US",
            "--locale=C.UTF-8",
        ]));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 {settings} -c unix_socket_directories={}",
            folder.path().display()
        );
        let mut start = as_postgres(&tools.join("pg_ctl"));
        run(start.arg("-D").arg(&data).arg("-l").arg(folder.path().join("log")).args(["-w", "-o", &options, "start"]));
        Self { url: format!("postgres://muster@127.0.0.1:{port}/postgres"), tools, folder }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = as_postgres(&self.tools.join("pg_ctl"));
        run(stop.arg("-D").arg(self.folder.path().join("data")).args(["-m", "immediate", "stop"]));
    }
}

/// The folder of the server's programs, when it is installed.
pub fn tools() -> Option<PathBuf> {
    let named = std::env::var_os("MUSTER_POSTGRES_BIN").map(PathBuf::from);
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = named.into_iter().chain(debian.into_iter().rev()).chain(std::env::split_paths(&path));
    candidates.into_iter().find(|folder| folder.join("initdb").is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("`id` is on every system");
    id.stdout.trim_ascii() == b"0"
}

fn as_postgres(tool: &Path) -> Command {
    if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(tool);
        command.current_dir("/");
        command
    } else {
        Command::new(tool)
    }
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.unwrap_or_else(|cause| panic!("run {command:?}: {cause}"));
    assert!(status.success(), "{command:?}: {status}");
}
