import Conversions

/// Why referrals couldn't be read.
struct ReadFailure: Error, CustomStringConvertible {
  let status: Int?
  /// The API's own code, where it gave one.
  let code: String?
  let message: String
  /// Whether the connection itself could not be trusted.
  var isUntrusted = false
  /// Whether the API wasn't reached at all.
  var isUnreached = false

  init(status: Int, _ failure: APIFailure) {
    (self.status, code, message) = (status, failure.code, failure.message)
  }

  init(_ failure: TransportFailure) {
    (status, code, message) = (nil, nil, failure.message)
    (isUntrusted, isUnreached) = (failure.kind == .tls, !failure.mayHaveBeenDone)
  }

  var description: String { status.map { "HTTP \($0): \(message)" } ?? message }

  /// Whether nothing but a person's doing will change it, and why nothing may be sent until then.
  var haltReason: HaltReason? {
    switch status {
    case 401?: .keyRefused
    case 403?: .notApproved
    case (300...399)?: .redirect
    default: isUntrusted ? .tls : nil
    }
  }
}
