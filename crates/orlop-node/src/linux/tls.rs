//! TLS for probes and hooks, which take whatever certificate a server shows, as kubelet does: they ask whether somebody
//! answers, not who.

use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// Takes every certificate.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn config() -> Result<Arc<ClientConfig>, String> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("tls: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}

/// Speaks TLS on a connection to this host.
///
/// # Errors
/// The server speaks something else, or nothing that both know.
pub(crate) async fn connect(host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| format!("tls: {host:?}: {error}"))?;
    let told = |error: std::io::Error| {
        let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        match of_tls {
            Some(Error::InvalidMessage(_)) => PLAIN.to_owned(),
            _ => format!("tls: {error}"),
        }
    };
    TlsConnector::from(config()?).connect(name, stream).await.map_err(told)
}

/// What is said of a server that does not speak TLS.
pub(crate) const PLAIN: &str = "http: server gave HTTP response to HTTPS client";

#[cfg(test)]
pub(crate) mod tests {
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;

    use super::*;

    /// A key for these tests, with a certificate that nobody has signed and that has expired.
    const KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvVJv0YOuIW9pNDFZ
u5wlZ6dClNFrpFARpjAL2iVKf7mhRANCAATAL24fFyzhc/YWIrVpwZ3KdX/+Daca
pyhoRyj/tXI90eWiw7BrRgD4Rc2+CwfqR0BKDDHPAWQ9NtCozB1atJtl
-----END PRIVATE KEY-----";
    const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----
MIIBdjCCAR2gAwIBAgIUK7S3sOuPmtVHME5o2KnZHZSwquswCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9ib2R5MB4XDTI2MTEyMTIwMjEyMFoXDTI2MTEyMjIwMjEy
MFowETEPMA0GA1UEAwwGbm9ib2R5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
wC9uHxcs4XP2FiK1acGdynV//g2nGqcoaEco/7VyPdHlosOwa0YA+EXNvgsH6kdA
SgwxzwFkPTbQqMwdWrSbZaNTMFEwHQYDVR0OBBYEFKuRuiXImJz/qgvX7JCf42Vr
ZtY8MB8GA1UdIwQYMBaAFKuRuiXImJz/qgvX7JCf42VrZtY8MA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgcInEErkg3AlzCdI+kE2DY6zkoJPMhYvN
i4+Mge5pnyECICz8DrEj3XgXF7Q+7jniKwMghKtz9oWLli0ifcX0W7KT
-----END CERTIFICATE-----";

    /// The other end.
    pub(crate) fn acceptor() -> TlsAcceptor {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
        let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}
