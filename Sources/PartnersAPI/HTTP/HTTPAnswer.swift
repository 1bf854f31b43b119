/// One complete answer, whatever its status: its body whole, of its header only what somebody reads.
struct HTTPAnswer: Sendable {
  var status: Int
  var date: String?
  var retryAfter: String?
  var contentType: String?
  var body: [UInt8]
  var duration: Duration
}
