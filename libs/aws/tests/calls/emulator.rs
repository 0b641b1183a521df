//! The project's emulated AWS (`demo/emulator`) as a process of its own on a free port.

use std::{
    env,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long the emulator may take to answer: it needs a second, a busy machine many.
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// Ends with the value.
pub struct Emulator {
    process: Child,
    python: PathBuf,
    port: u16,
}

impl Emulator {
    /// `None`, with a word on standard error, when `MUSTER_MOTO_SERVER` is not set; panics when it is set but wrong.
    pub fn start() -> Option<Self> {
        let Some(moto_server) = env::var_os("MUSTER_MOTO_SERVER").map(PathBuf::from) else {
            eprintln!("skipped: MUSTER_MOTO_SERVER does not name a moto_server");
            return None;
        };
        let python = moto_server.with_file_name("python3");
        assert!(
            moto_server.is_file() && python.is_file(),
            "MUSTER_MOTO_SERVER is {}: no moto_server with a python3 beside it",
            moto_server.display()
        );
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let process = command(&python)
            .args(["-m", "demo.emulator", "--registry", "127.0.0.1:5000", "--port", &port.to_string()])
            .env("MUSTER_DEMO_REGISTRY_PASSWORD", "registry-password")
            .stdout(Stdio::null())
            .spawn()
            .expect("the emulator starts");
        let mut emulator = Self { process, python, port };
        emulator.wait();
        Some(emulator)
    }

    fn wait(&mut self) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if let Ok(Some(status)) = self.process.try_wait() {
                panic!("the emulator ended at once: {status}");
            }
            assert!(started.elapsed() < START_TIMEOUT, "the emulator does not answer on port {}", self.port);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Runs Python with `accounts`, boto3's clients by service, account and region: for services whose SDK we do not have.
    pub fn run(&self, script: &str) {
        let script = format!("from demo.accounts import Accounts\naccounts = Accounts('{}')\n{script}", self.url());
        let status = command(&self.python).args(["-c", &script]).status().expect("Python starts");
        assert!(status.success(), "{status} of {script}");
    }

    /// One of the emulator's own paths, below `/muster/`.
    pub fn post(&self, path: &str, body: &serde_json::Value) {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the emulator listens");
        let head = format!("POST /muster/{path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).expect("the emulator reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the emulator answers");
        assert!(answer.lines().next().is_some_and(|status| status.contains(" 200 ")), "POST {path}: {answer}");
    }
}

/// Python at the root of the project.
fn command(python: &Path) -> Command {
    let mut command = Command::new(python);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    command.current_dir(root).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended by itself
        let _ = self.process.wait();
    }
}
