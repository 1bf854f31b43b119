/// Why referrals couldn't be read.
struct ReadFailure: Error, CustomStringConvertible {
  let status: Int?
  /// The API's own code, where it gave one.
  let code: String?
  let message: String

  var description: String { status.map { "HTTP \($0): \(message)" } ?? message }

  /// Whether nothing but a person's doing will change it.
  var needsPerson: Bool { status == 401 || status == 403 }
}
