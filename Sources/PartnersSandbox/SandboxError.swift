/// The reason that a sandbox doesn't do what it was told.
public enum SandboxError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The host isn't loopback, and others were not allowed.
  case notLoopback(host: String)
  /// The address can't be listened on.
  case cannotListen(host: String, port: UInt16, reason: String)
  /// There is no referral of that ID.
  case noSuchReferral(String)
  /// Another referral has the same ID, the same pair of referrer and friend, or the same transaction ID.
  case clash(referral: String, field: String)

  /// One line for people.
  public var description: String {
    switch self {
    case .notLoopback(let host): "\(host) is not loopback, and the sandbox takes orders without a key"
    case .cannotListen(let host, let port, let reason): "can't listen on \(host), port \(port): \(reason)"
    case .noSuchReferral(let id): "no referral \(id)"
    case .clash(let referral, let field): "referral \(referral): another one has the same \(field)"
    }
  }
}
