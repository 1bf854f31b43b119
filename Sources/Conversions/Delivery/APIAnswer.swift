/// The result of one request to the partners API: everything that a verdict may rest on, and nothing of how it
/// travelled.
public enum APIAnswer<Success: Sendable>: Sendable {
  /// 2xx with a body of the promised shape.
  case success(Success, AnswerHead)
  /// Any other status with whatever error the body held; also a 2xx whose body is not what was promised.
  case failure(APIFailure, AnswerHead)
  /// No answer. `TransportFailure.mayHaveBeenDone` tells whether the API may have acted on it.
  case transport(TransportFailure)
}

extension APIAnswer {
  /// True if the API says that there is no such referral (API reference, Errors); a 404 of another kind is a proxy's,
  /// or a wrong address.
  public var saysNotFound: Bool {
    guard case .failure(let failure, let head) = self else { return false }
    return head.status == 404 && failure.code == APIErrorCode.notFound.rawValue
  }
}

extension APIAnswer: Equatable where Success: Equatable {}

/// The part of an answer that every endpoint shares.
public struct AnswerHead: Hashable, Sendable {
  /// The HTTP status.
  public var status: Int
  /// The answer's own `Date`, by which a Retry-After date is read, and which tells the clocks' difference.
  public var date: Timestamp?
  /// The time that the request took.
  public var duration: Duration

  /// Makes a head from its values.
  public init(status: Int, date: Timestamp? = nil, duration: Duration = .zero) {
    self.status = status
    self.date = date
    self.duration = duration
  }
}

/// An answer that is not the promised success (API reference, Errors).
public struct APIFailure: Hashable, Sendable {
  /// One field that the API complained about.
  public struct Field: Hashable, Sendable {
    /// The field's name.
    public var field: String
    /// The complaint.
    public var message: String

    /// Makes a complaint about a field.
    public init(field: String, message: String) {
      self.field = field
      self.message = message
    }
  }

  /// `error.code`, nil where the body was not of the API's shape (a proxy's HTML page, say).
  public var code: String?
  /// `error.message`, or a sentence of our own; capped, control characters taken out.
  public var message: String
  /// `error.fields`, at most 20.
  public var fields: [Field]
  /// The time to wait: the larger of `Retry-After` and `error.retryAfterMs`, within 0 … 1 day, and an hour for whatever
  /// else they ask; nil for neither.
  public var retryAfter: Duration?
  /// True if the body was cut short, not JSON, or JSON of another shape than promised.
  public var isMalformed: Bool

  /// Makes a failure from its values.
  public init(
    code: String?, message: String, fields: [Field] = [], retryAfter: Duration? = nil, isMalformed: Bool = false
  ) {
    self.code = code
    self.message = message
    self.fields = fields
    self.retryAfter = retryAfter
    self.isMalformed = isMalformed
  }
}

/// The reason why there was no answer.
public struct TransportFailure: Error, Hashable, Sendable {
  /// The kinds that lead to different next steps.
  public enum Kind: String, Sendable, CaseIterable {
    /// The name didn't resolve.
    case nameResolution
    /// Refused, unreachable, or no connection in time: not a byte of the request left.
    case connection
    /// The certificate or the handshake failed: never bypassed, sending halts.
    case tls
    /// No complete answer within the deadline.
    case timeout
    /// Reset, closed or cut short after the request began to be sent.
    case interrupted
    /// More than the capped size.
    case tooLarge
    /// Stopped from our side, at shutdown.
    case cancelled
    /// Made ready and not sent, as the answer to another one says that nothing should be.
    case withdrawn
  }

  /// The kind of failure.
  public var kind: Kind
  /// The library's words.
  public var message: String
  /// True if any of the request may have reached the API, so that it may have been done.
  public var mayHaveBeenDone: Bool
  /// The time that it took to fail.
  public var duration: Duration

  /// Makes a failure from its values.
  public init(kind: Kind, message: String, mayHaveBeenDone: Bool, duration: Duration = .zero) {
    self.kind = kind
    self.message = message
    self.mayHaveBeenDone = mayHaveBeenDone
    self.duration = duration
  }
}
