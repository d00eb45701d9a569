//! Endpoints behind TLS: the certificate is verified, and nothing is sent to one that is not the right one.

use std::path::Path;
use std::process::Command;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::*;

fn openssl(folder: &Path, arguments: &str) {
    let made = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().expect("openssl runs");
    assert!(made.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&made.stderr));
}

/// A root of trust, and a certificate of localhost and 127.0.0.1 that it signed.
fn certificates(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req -x509 {key} -keyout root.key -out root.crt -subj /CN=root -days 2"));
    openssl(folder, &format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"));
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
    std::fs::write(folder.join("names"), names).unwrap();
    let sign =
        "x509 -req -in server.csr -CA root.crt -CAkey root.key -CAcreateserial -out server.crt -days 2 -extfile names";
    openssl(folder, sign);
}

#[tokio::test]
async fn an_endpoint_behind_tls_is_reached_only_with_a_certificate_that_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let certificate = |name: &str| CertificateDer::from_pem_file(folder.path().join(name)).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.path().join("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate("server.crt")], key).unwrap()));
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let (address, taken) = listen(move |stream| {
        let (acceptor, count) = (acceptor.clone(), Arc::clone(&count));
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut bytes = [0; 4_096];
            while let Ok(1..) = stream.read(&mut bytes).await {
                count.fetch_add(1, Ordering::SeqCst);
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    })
    .await;

    let url = format!("https://127.0.0.1:{}/", address.port());
    let answer = post(&loopback(), &url).await;
    assert!(matches!(&answer, Err(NoAnswer::Failed(said)) if said.contains("certificate")), "{answer:?}");
    assert_eq!(seen.load(Ordering::SeqCst), 0, "nothing was sent");

    let mut roots = RootCertStore::empty();
    roots.add(certificate("root.crt")).unwrap();
    let trusting = |roots| Sender::trusting(options(&["127.0.0.0/8"]), roots, Names::of_the_system()).unwrap();
    let sender = trusting(roots.clone());
    let before = taken.load(Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(post(&sender, &url).await.map(|answer| answer.status), Ok(204));
    }
    assert_eq!(taken.load(Ordering::SeqCst), before + 1, "one connection for all");
    let by_name = format!("https://localhost:{}/", address.port());
    assert_eq!(post(&sender, &by_name).await.map(|answer| answer.status), Ok(204));
    let other_name = format!("https://127.0.0.2:{}/", address.port());
    let other = TcpListener::bind(("127.0.0.2", address.port())).await.unwrap();
    tokio::spawn(async move {
        // The same certificate under an address that it does not name.
        while let Ok((mut stream, _)) = other.accept().await {
            let mut inner = TcpStream::connect(address).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut stream, &mut inner).await });
        }
    });
    let answer = post(&trusting(roots), &other_name).await;
    assert!(matches!(&answer, Err(NoAnswer::Failed(said)) if said.contains("certificate")), "{answer:?}");
}
