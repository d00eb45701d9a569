//! `testbed COMMAND [ARGUMENT]…`: runs a command with a PostgreSQL, a Redis and a NATS server of its own.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

use testbed::{NATS_VARIABLE, Nats, POSTGRES_VARIABLE, Postgres, REDIS_VARIABLE, Redis};

/// What a shell answers for a command that cannot be run.
const CANNOT: u8 = 127;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).skip_while(|argument| argument == "--");
    let Some(program) = arguments.next() else {
        eprintln!("usage: testbed COMMAND [ARGUMENT]…");
        return ExitCode::from(2);
    };
    match run(&program, arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::from(CANNOT)
        }
    }
}

/// The command's exit code; that of a signal as shells give it.
fn run(program: &OsStr, arguments: impl Iterator<Item = OsString>) -> Result<u8, String> {
    let (postgres, redis, nats) = (Postgres::try_start()?, Redis::try_start()?, Nats::try_start()?);
    // Told to stop should this process be killed: without its servers it is of no use.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM"]).arg(program).args(arguments);
    command.env(POSTGRES_VARIABLE, postgres.url()).env(REDIS_VARIABLE, redis.url()).env(NATS_VARIABLE, nats.url());
    let status = command.status().map_err(|error| format!("{}: {error}", program.display()))?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(u8::try_from(code).unwrap_or(1))
}
