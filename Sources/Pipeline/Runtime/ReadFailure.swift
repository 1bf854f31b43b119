import Conversions

/// The reason why referrals couldn't be read.
struct ReadFailure: Error, CustomStringConvertible {
  let status: Int?
  /// The API's own code, where it gave one.
  let code: String?
  let message: String
  /// True if the connection itself could not be trusted.
  var isUntrusted = false
  /// True if the API wasn't reached at all.
  var isUnreached = false

  init(status: Int, _ failure: APIFailure) {
    (self.status, code, message) = (status, failure.code, failure.message)
  }

  init(_ failure: TransportFailure) {
    (status, code, message) = (nil, nil, failure.message)
    (isUntrusted, isUnreached) = (failure.kind == .tls, !failure.mayHaveBeenDone)
  }

  var description: String { status.map { "HTTP \($0): \(message)" } ?? message }

  /// The reason for which it halts sending; nil where it doesn't.
  func haltReason(in situation: HaltTable.Situation) -> HaltReason? {
    HaltTable.reason(for: status.map { .status($0) } ?? .transport(isUntrusted ? .tls : .interrupted), in: situation)
  }
}
