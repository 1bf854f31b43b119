import Foundation
import FoundationNetworking
import TestHosts

/// `conversiond sandbox` as a process of its own, without limits, and a plain client of its API and its control
/// endpoints.
final class SandboxProcess: Sendable {
  private static let session = URLSession(configuration: .ephemeral)
  /// The key that the sandbox prints at its start.
  private static let key = "oft_5a0d60c0ffee5a0d60c0ffee5a0d60c0"

  let baseURL: String
  let keyFile: String
  private let process: ChildProcess
  private let folder: TemporaryFolder

  init() async throws {
    folder = try TemporaryFolder("api")
    keyFile = try folder.write(Self.key + "\n", to: "api-key", permissions: 0o600)
    let process = try ChildProcess(try builtProduct("conversiond"), ["sandbox", "--port", "0", "--no-limits"])
    self.process = process
    _ = await eventually(within: .seconds(20)) { process.end != nil || process.outputLines.count >= 2 }
    guard let line = process.outputLines.first, let start = line.range(of: "http://") else {
      throw TestHostError("the sandbox did not start: \(process.standardError)")
    }
    baseURL = String(line[start.lowerBound...])
  }

  /// A request to the API itself.
  func request(_ method: String, _ path: String, _ body: some Encodable) async throws -> Data {
    try await send(method, baseURL + path, try JSONEncoder().encode(body))
  }

  /// Adds referrals, or patches those that exist, as only the sandbox can.
  func put(_ referrals: [ReferralDocument]) async throws {
    _ = try await send("POST", control("referrals"), try JSONEncoder().encode(referrals))
  }

  /// Every referral as the sandbox holds it now: a JSON array.
  func referrals() async throws -> String {
    let state = try JSONSerialization.jsonObject(with: try await send("GET", control("state"), nil))
    guard let referrals = (state as? [String: Any])?["referrals"] else { throw TestHostError("no state") }
    return String(decoding: try JSONSerialization.data(withJSONObject: referrals), as: UTF8.self)
  }

  /// The reports that it answered with anything but success, as it printed them.
  var refusedReports: [String] {
    process.outputLines.filter { line in
      guard let end = line.range(of: "/convert ") else { return false }
      return !line[end.upperBound...].hasPrefix("20")
    }
  }

  func end() async {
    process.signal(SIGTERM)
    _ = try? await process.wait(within: .seconds(10))
  }

  private func control(_ name: String) -> String {
    baseURL.replacing("/api/v1/partners", with: "/_sandbox/\(name)")
  }

  private func send(_ method: String, _ address: String, _ body: Data?) async throws -> Data {
    guard let url = URL(string: address) else { throw TestHostError("\(address) is no URL") }
    var request = URLRequest(url: url, timeoutInterval: 30)
    request.httpMethod = method
    request.setValue(Self.key, forHTTPHeaderField: "X-API-Key")
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.httpBody = body
    let (data, response) = try await Self.session.data(for: request)
    let status = (response as? HTTPURLResponse)?.statusCode ?? 0
    guard (200..<300).contains(status) else {
      throw TestHostError("\(method) \(address): \(status) \(String(decoding: data, as: UTF8.self))")
    }
    return data
  }
}

/// A referral as the sandbox's control endpoint takes it; what is nil is left as it is.
struct ReferralDocument: Encodable, Sendable {
  var referralId: String
  var status: String?
  var friendEmail: String?
  var friendName: String?
  var referrerIdentifier: String?
  var externalSourceId: String?
  var createdAt: Int64?
}
