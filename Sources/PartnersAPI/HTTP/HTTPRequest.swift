/// One request, its path already encoded.
struct HTTPRequest: Sendable {
  var method: HTTPMethod
  /// The whole URL.
  var url: String
  /// The body as JSON; nil for none.
  var body: [UInt8]?
}
