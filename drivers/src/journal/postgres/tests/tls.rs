//! A server that is reached through TLS: its certificate is verified, and nothing is sent to one that is not the right one.

use std::path::Path;
use std::process::Command;

use crate::journal::{self, Options};
use crate::{Fault, wake};

fn openssl(folder: &Path, arguments: &str) {
    let made = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().expect("openssl runs");
    assert!(made.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&made.stderr));
}

/// A root of trust, and a certificate of 127.0.0.1 that it signed.
fn certificates(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req -x509 {key} -keyout root.key -out root.crt -subj /CN=root -days 2"));
    openssl(folder, &format!("req {key} -keyout server.key -out server.csr -subj /CN=127.0.0.1"));
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
    let sign =
        "x509 -req -in server.csr -CA root.crt -CAkey root.key -CAcreateserial -out server.crt -days 2 -extfile names";
    openssl(folder, sign);
}

async fn open(url: &str) -> Result<(), Fault> {
    let options = Options { wake: wake::local(), lease_millis: 30_000, migrate: true };
    let journal = journal::open(url, options).await?;
    journal.ping().await?;
    journal.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_reached_through_tls_only_with_a_certificate_that_is_trusted() {
    let server = testbed::Postgres::start();
    let database = server.database();
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let trusted =
        format!("{}?sslmode=verify-full&sslrootcert={}", database.url, folder.path().join("root.crt").display());
    let said = open(&trusted).await.unwrap_err().to_string();
    assert!(said.contains("switch TLS on there"), "{said}");

    // Through the server itself, so that the files are its user's and of the mode that it wants.
    for name in ["server.crt", "server.key"] {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        let write = format!(
            "copy (select unnest(string_to_array($t${}$t$, e'\\n'))) to program 'umask 77 && cat > {name}'",
            text.trim_end()
        );
        database.run(&write);
    }
    database.run("alter system set ssl = on");
    database.run("select pg_reload_conf()");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while let Err(fault) = open(&trusted).await {
        assert!(std::time::Instant::now() < deadline, "{fault}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let sql = "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where application_name like 'tradewind%'";
    let options =
        Options { wake: wake::open("postgres", &trusted).await.unwrap(), lease_millis: 30_000, migrate: true };
    let journal = journal::open(&trusted, options).await.unwrap();
    journal.ping().await.unwrap();
    assert_eq!(database.run(sql), "t", "every session is encrypted");
    journal.close().await;

    let stranger = tempfile::tempdir().unwrap();
    certificates(stranger.path());
    let wrong =
        format!("{}?sslmode=verify-full&sslrootcert={}", database.url, stranger.path().join("root.crt").display());
    let said = open(&wrong).await.unwrap_err().to_string();
    assert!(said.contains("sslrootcert") && !said.contains('\n'), "{said}");
}
