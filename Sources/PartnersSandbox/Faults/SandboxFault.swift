/// A fault that a rule orders for a request.
public enum SandboxFault: Sendable, Hashable {
  /// The way in which an answer of 200 is spoilt.
  public enum Garbage: Sendable, Hashable {
    /// Bytes after the JSON, within the Content-Length.
    case trailing
    /// Text that isn't JSON, called JSON.
    case notJSON
    /// A JSON body of that many bytes.
    case huge(bytes: Int)
    /// Lists within lists, so many levels.
    case deep(levels: Int)
  }

  /// A given answer; the work is done before it only if `afterWork` says so.
  case answer(SandboxAnswer, afterWork: Bool = false)
  /// The answer comes late: the work is done on arrival, or, without `afterWork`, only when the delay is over.
  case delay(Duration, afterWork: Bool = true)
  /// The request is read and never answered.
  case hang(afterWork: Bool = false)
  /// A TCP reset in place of an answer.
  case reset(afterWork: Bool)
  /// The work is done, and the answer ends after so many bytes of its body, before its Content-Length.
  case truncate(bodyBytes: Int)
  /// The work is done, and the connection ends without an answer.
  case loseAnswer
  /// The work is done, and the answer comes one byte at a time.
  case trickle(every: Duration)
  /// The work is done, and the answer's body is spoilt; status and headers are the real ones.
  case garbage(Garbage)

  /// True if the API does the work that it was asked for.
  var doesWork: Bool {
    switch self {
    case .answer(_, let afterWork), .hang(let afterWork), .reset(let afterWork): afterWork
    case .delay, .truncate, .loseAnswer, .trickle, .garbage: true
    }
  }

  /// The fault's name in the request log.
  var name: String {
    switch self {
    case .answer: "status"
    case .delay: "delay"
    case .hang: "hang"
    case .reset: "reset"
    case .truncate: "truncate"
    case .loseAnswer: "loseAnswer"
    case .trickle: "trickle"
    case .garbage: "garbage"
    }
  }
}
