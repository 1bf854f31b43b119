/// One request to the API, as the sandbox remembers it. The key is never part of it.
public struct SandboxRequestRecord: Sendable, Hashable {
  /// The number of the request, from 1.
  public let number: Int
  /// The time at which it had arrived.
  public let arrival: SandboxTime
  /// The time from its arrival until its answer was ready to be sent, ordered delays and latency included.
  public let duration: Duration
  /// The client's IP address.
  public let address: String
  /// The method.
  public let method: String
  /// Path and query as they were sent; may hold e-mail addresses, which `line` masks.
  public let target: String
  /// The body as it was sent.
  public let body: [UInt8]
  /// The status of the answer; `nil` where none was sent: hang, reset, or a lost answer.
  public let status: Int?
  /// The code of an error of the API's own.
  public let errorCode: String?
  /// The ordered fault that struck: `status`, `delay`, `hang`, `reset`, `truncate`, `loseAnswer`, `trickle` or
  /// `garbage`.
  public let fault: String?

  /// The raw path, without the query.
  public var path: String { String(target.prefix { $0 != "?" }) }

  /// One line for people: time, method, path, status and duration, with e-mail addresses masked.
  public var line: String {
    let (seconds, attoseconds) = duration.components
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    let code = errorCode.map { " \($0)" } ?? ""
    let ordered = fault.map { " (ordered: \($0))" } ?? ""
    let status = status.map(String.init) ?? "-"
    return "\(CivilTime(milliseconds: arrival.wallMilliseconds).iso8601) \(method) \(TargetMask.masked(target)) "
      + "\(status)\(code) \(milliseconds) ms\(ordered)"
  }
}
