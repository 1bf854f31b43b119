/// One complete answer, of any status: its whole body, and of its header only the fields that are used.
struct HTTPAnswer: Sendable {
  var status: Int
  var date: String?
  var retryAfter: String?
  var contentType: String?
  var body: [UInt8]
  var duration: Duration
}
