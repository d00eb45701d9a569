//! Where the servers' programs lie, and who may run them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest PostgreSQL that the tests take.
const POSTGRES_VERSION: u32 = 15;

/// Where Debian keeps PostgreSQL, by major version.
const POSTGRES_FOLDER: &str = "/usr/lib/postgresql";

/// Where servers lie that are not on everybody's path.
const SERVER_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"];

/// A program on the path or where servers lie.
pub(crate) fn find(program: &str, package: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(SERVER_FOLDERS.iter().map(PathBuf::from));
    let found = folders.map(|folder| folder.join(program)).find(|file| file.is_file());
    found.ok_or_else(|| format!("{program} is not there; on Debian or Ubuntu: sudo apt-get install {package}"))
}

/// The folder with PostgreSQL's programs: Debian's newest, or the one on the path.
pub(crate) fn postgres() -> Result<PathBuf, String> {
    let versions = std::fs::read_dir(POSTGRES_FOLDER).into_iter().flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
        path.join("bin/initdb").is_file().then(|| (version, path.join("bin")))
    });
    if let Some((_, folder)) = versions.filter(|(version, _)| *version >= POSTGRES_VERSION).max() {
        return Ok(folder);
    }
    let initdb = find("initdb", "postgresql")?;
    let said = Command::new(&initdb).arg("--version").output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let version = said.split_whitespace().last().and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if version.is_none_or(|version| version < POSTGRES_VERSION) {
        return Err(format!(
            "PostgreSQL {POSTGRES_VERSION} or newer is needed, {} is {}",
            initdb.display(),
            said.trim()
        ));
    }
    Ok(initdb.parent().map(Path::to_owned).unwrap_or_default())
}

/// A user of the system.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Whom PostgreSQL runs as: it refuses root. None when we are not root and it simply runs as us.
pub(crate) fn postgres_user() -> Result<Option<User>, String> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
    let user = |wanted: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            fields.next().filter(|name| *name == wanted)?;
            Some(User { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
        })
    };
    let found = user("postgres").or_else(|| user("nobody"));
    found.map(Some).ok_or_else(|| "PostgreSQL refuses to run as root, and there is no user `postgres`".to_owned())
}

/// A command that ends with the process that begins it, run as `user` if one is given.
pub(crate) fn bound(program: &Path, user: Option<&User>) -> Result<Command, String> {
    let mut command = Command::new(find("setpriv", "util-linux")?);
    if let Some(User { uid, gid, .. }) = user {
        command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]);
    }
    command.args(["--pdeathsig", "KILL"]).arg(program);
    Ok(command)
}
