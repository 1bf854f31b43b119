import Foundation
import FoundationNetworking
import PartnersSandbox
import Testing

@testable import struct PartnersSandbox.JSONReader

/// A plain HTTP client of any server that claims to be the partners API.
struct APIClient: Sendable {
  /// One answer.
  struct Answer: Sendable {
    let status: Int
    let headers: [String: String]
    let json: SandboxJSON

    var errorCode: String? { json["error"]?["code"]?.text }
    var fields: [String] { json["error"]?["fields"]?.elements?.compactMap { $0["field"]?.text } ?? [] }
    subscript(name: String) -> SandboxJSON? { json[name] }
  }

  private static let session = URLSession(configuration: .ephemeral)

  let baseURL: String
  var key: String?
  /// True if 429 is waited out, so that the other sections can be tested on a server with limits.
  var waits = true

  func get(_ path: String, _ query: String = "") async throws -> Answer {
    try await send("GET", path + (query.isEmpty ? "" : "?" + query), nil)
  }

  func post(_ path: String, _ body: SandboxJSON) async throws -> Answer {
    try await send("POST", path, body.description)
  }

  func patch(_ path: String, _ body: SandboxJSON) async throws -> Answer {
    try await send("PATCH", path, body.description)
  }

  func send(_ method: String, _ path: String, _ body: String?) async throws -> Answer {
    while true {
      let answer = try await sendOnce(method, path, body)
      guard waits, answer.status == 429 else { return answer }
      try await Task.sleep(for: .seconds(answer.headers["retry-after"].flatMap(Int.init) ?? 5))
    }
  }

  private func sendOnce(_ method: String, _ path: String, _ body: String?) async throws -> Answer {
    var request = URLRequest(url: try #require(URL(string: baseURL + path)), timeoutInterval: 30)
    request.httpMethod = method
    if let key { request.setValue(key, forHTTPHeaderField: "X-API-Key") }
    if let body {
      request.httpBody = Data(body.utf8)
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    }
    let (data, response) = try await Self.session.data(for: request)
    let http = try #require(response as? HTTPURLResponse)
    var headers: [String: String] = [:]
    for (name, value) in http.allHeaderFields {
      if let name = name as? String, let value = value as? String { headers[name.lowercased()] = value }
    }
    let json = data.isEmpty ? SandboxJSON.null : try JSONReader.read(Array(data))
    return Answer(status: http.statusCode, headers: headers, json: json)
  }
}

extension APIClient {
  /// Makes an e-mail address that was not used before.
  static func newEmail() -> String { "ana.\(UUID().uuidString.lowercased())@example.com" }

  /// Makes an identifier that was not used before.
  static func newID(_ prefix: String) -> String { "\(prefix)_\(UUID().uuidString.lowercased())" }

  /// A new referral's ID.
  func newReferral(
    referrer: String = newID("cust"), email: String = newEmail(), source: String? = nil
  ) async throws -> String {
    var body: [SandboxJSON.Member] = [
      .init("referrerIdentifier", .string(referrer)), .init("friendEmail", .string(email)),
      .init("friendName", "Ana"),
    ]
    if let source { body.append(.init("externalSourceId", .string(source))) }
    // Set-up, not the test's own request: on a server that others write to as well it waits its turn.
    var patient = self
    patient.waits = true
    let answer = try await patient.post("/referrals", .object(body))
    try #require(answer.status == 201)
    return try #require(answer["referralId"]?.text)
  }
}
