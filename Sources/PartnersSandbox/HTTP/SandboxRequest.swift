/// One request as it was read from a connection.
struct SandboxRequest: Sendable {
  let method: String
  /// Path and query, raw.
  let target: String
  let headers: [HTTPHeader]
  var body: [UInt8] = []
  /// True if the client keeps the connection open for another request.
  var keepsAlive = true

  /// The raw path, with its percent-encoding.
  var path: String { String(target.prefix { $0 != "?" }) }

  /// The raw query, without the question mark; `nil` where there is none.
  var query: String? {
    guard let mark = target.firstIndex(of: "?") else { return nil }
    return String(target[target.index(after: mark)...])
  }

  /// Returns the members of the JSON object in the body; throws 400 if it holds none.
  ///
  /// Ignores the content type: API reference says that all endpoints are JSON.
  func object() throws(APIError) -> [SandboxJSON.Member] {
    do throws(JSONReader.Failure) {
      guard let members = try JSONReader.read(body).members else {
        throw JSONReader.Failure(reason: "an object is expected", offset: 0)
      }
      return members
    } catch {
      let reason = "Not a JSON object: \(error.reason) (at byte \(error.offset))"
      throw .validation([FieldIssue("body", reason)])
    }
  }
}
