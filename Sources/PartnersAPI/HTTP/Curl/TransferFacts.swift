import CLibcurl
import Conversions

/// The facts that libcurl has of a transfer that ended without an answer, and their meaning.
struct TransferFacts {
  /// The reason that it ended.
  var code: CURLcode
  /// The library's words.
  var message: String
  /// The number of bytes of requests that left, over all of libcurl's own attempts (a reused connection that turns out
  /// to be closed is replaced once, and a read is sent again).
  var requestBytes: Int
  /// True if the name was resolved.
  var isNameResolved: Bool
  /// True if connection and handshake were done, so that sending could begin.
  var isReadyToSend: Bool
  /// True if the answer was stopped for its size.
  var isTooLarge: Bool
  /// The answer's content coding, as far as it was told.
  var contentCoding: String?
  /// The time that it took.
  var duration: Duration

  /// The failure for the caller. In doubt the request may have been done: "not sent" is said only for failures that
  /// come before sending, and only if not a byte left.
  var failure: TransportFailure {
    let (kind, endsBeforeSending) = verdict
    let isUnsent = endsBeforeSending && requestBytes == 0
    // Reports an interruption if bytes left all the same: a kept connection closed during the request, and a new one
    // could not be made.
    return TransportFailure(
      kind: endsBeforeSending && !isUnsent ? .interrupted : kind, message: words, mayHaveBeenDone: !isUnsent,
      duration: duration)
  }

  /// The library's words, and ours where those don't tell an operator what to look at.
  private var words: String {
    switch code {
    case CURLE_BAD_CONTENT_ENCODING:
      return "the answer's content coding, \(contentCoding ?? "unnamed"), can't be decoded: \(message)"
    case CURLE_SSL_CONNECT_ERROR where isOfAnOldProtocol:
      return "the server speaks only TLS older than 1.2, which is not accepted: \(message)"
    case CURLE_PEER_FAILED_VERIFICATION where isOfAnUnknownAuthority, CURLE_SSL_CACERT_BADFILE:
      return "\(message) (\(CertificateStore.words))"
    default: return message
    }
  }

  /// True if client and server have no TLS version in common, by the words of either.
  private var isOfAnOldProtocol: Bool {
    ["unsupported protocol", "protocol version", "version too low", "wrong ssl version"].contains {
      message.lowercased().contains($0)
    }
  }

  /// True if the certificate's only fault is that no authority of this host vouches for it.
  private var isOfAnUnknownAuthority: Bool {
    ["unable to get", "self-signed", "self signed"].contains { message.lowercased().contains($0) }
  }

  private var verdict: (kind: TransportFailure.Kind, endsBeforeSending: Bool) {
    if isTooLarge || code == CURLE_FILESIZE_EXCEEDED { return (.tooLarge, false) }
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: return (.nameResolution, true)
    case CURLE_COULDNT_CONNECT, CURLE_PROXY: return (.connection, true)
    case CURLE_OPERATION_TIMEDOUT:
      guard requestBytes == 0, !isReadyToSend else { return (.timeout, false) }
      return (isNameResolved ? .connection : .nameResolution, true)
    case CURLE_SSL_CONNECT_ERROR: return (isHandshakeInterrupted ? .connection : .tls, true)
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE,
      CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS,
      CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_USE_SSL_FAILED:
      return (.tls, true)
    case CURLE_FAILED_INIT, CURLE_URL_MALFORMAT, CURLE_OUT_OF_MEMORY, CURLE_UNKNOWN_OPTION: return (.connection, true)
    default: return (.interrupted, false)
    }
  }

  /// True if the network broke the handshake off, which is no verdict on the certificate; libcurl has one code for
  /// both, and OpenSSL's words tell them apart.
  private var isHandshakeInterrupted: Bool {
    ["SSL_ERROR_SYSCALL", "reset by peer", "unexpected eof", "Broken pipe"].contains { message.contains($0) }
  }
}
