/// An answer, and the way it is to reach the client, or not.
struct Reply: Sendable {
  /// The way in which the answer is sent on the connection, or not.
  enum Delivery: Sendable, Equatable {
    /// The whole answer.
    case whole
    /// Nothing, for as long as the client stays.
    case hang
    /// A TCP reset.
    case reset
    /// The head and so many bytes of the body that its Content-Length promises, then the end.
    case truncated(bodyBytes: Int)
    /// The end without an answer.
    case lost
    /// The head, whose Content-Length is this, and a JSON body of that many bytes, 14 at least.
    case padded(Int)
    /// One byte at a time.
    case trickled(every: Duration)

    /// True if the client is told a status.
    var isAnswer: Bool {
      switch self {
      case .whole, .truncated, .padded, .trickled: true
      case .hang, .reset, .lost: false
      }
    }
  }

  var response: HTTPResponse
  var delivery = Delivery.whole
}
