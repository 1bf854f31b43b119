import CLibcurl
import Foundation

/// The host's certificate authorities, as libcurl was built to find them.
enum CertificateStore {
  /// The places of the authorities, for an operator whose server's is not among them. Names the environment variables
  /// that are set and that other programs read: libcurl reads none.
  static var words: String {
    let places = unsafe curl_version_info(CURLVERSION_SEVENTH).map { info in
      let (file, folder) = unsafe (info.pointee.cainfo, info.pointee.capath)
      return unsafe [file, folder].compactMap { unsafe $0.map { unsafe String(cString: $0) } }
    }
    let named = (places ?? []).isEmpty ? "the system's certificates" : (places ?? []).joined(separator: " and ")
    let unread = ["SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"].filter {
      !(ProcessInfo.processInfo.environment[$0] ?? "").isEmpty
    }
    let ignored = unread.isEmpty ? "" : "; \(unread.joined(separator: ", ")) is not read"
    return "compared with \(named): add an authority of your own there, by update-ca-certificates\(ignored)"
  }
}
