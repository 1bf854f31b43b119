import FlyingFox
import FlyingSocks
import Foundation
import Synchronization

/// An API whose list of referrals has no end: every page is full, in order and within what was asked for, and no two of
/// them are the same, whatever is asked.
final class EndlessList: Sendable {
  /// The number of referrals that its pages tell.
  enum Total: Sendable, CaseIterable {
    /// The same on each page.
    case constant
    /// Fewer with each page, from so many that no program ever comes to the last.
    case declining
  }

  private let server: HTTPServer
  private let running: Task<Void, any Error>
  private let counts: Mutex<Counts>
  let port: UInt16

  private struct Counts {
    var pages = 0
    var writes = 0
  }

  /// The number of pages that were asked for.
  var pages: Int { counts.withLock { $0.pages } }
  /// The number of requests that were none for a page.
  var writes: Int { counts.withLock { $0.writes } }

  init(_ total: Total) async throws {
    counts = Mutex(Counts())
    let box = Weak()
    server = try HTTPServer(
      address: .inet(ip4: "127.0.0.1", port: 0), timeout: 30, logger: .disabled,
      handler: ClosureHTTPHandler { request in box.list?.answer(request, total) ?? HTTPResponse(statusCode: .notFound) }
    )
    running = Task { [server] in try await server.run() }
    try await server.waitUntilListening()
    guard case .ip4(_, let port)? = await server.listeningAddress else { throw URLError(.cannotConnectToHost) }
    self.port = port
    box.put(self)
  }

  func stop() async {
    await server.stop()
    running.cancel()
    _ = await running.result
  }

  /// The handler is made before the list is.
  private final class Weak: Sendable {
    private struct Reference { weak var list: EndlessList? }
    private let reference = Mutex(Reference())
    var list: EndlessList? { reference.withLock { $0.list } }
    func put(_ list: EndlessList) { reference.withLock { $0.list = list } }
  }

  private func answer(_ request: HTTPRequest, _ total: Total) -> HTTPResponse {
    guard request.method == .GET, request.path.hasSuffix("/referrals") else {
      counts.withLock { $0.writes += 1 }
      return HTTPResponse(statusCode: .notFound)
    }
    let number = counts.withLock { counts in
      counts.pages += 1
      return counts.pages
    }
    let query = Dictionary(request.query.map { ($0.name, $0.value) }) { first, _ in first }
    let status = query["status"] ?? "pending"
    let from = query["dateFrom"].flatMap { Int64($0) } ?? 1_600_000_000_000
    let to = query["dateTo"].flatMap { Int64($0) } ?? .max
    let isDescending = query["sortOrder"] == "desc"
    let referrals = (0..<100).map { index in
      let place = Int64(isDescending ? 99 - index : index)
      let time = min(from + place, to)
      let converted = status == "converted" ? "\(time + 1000)" : "null"
      return """
        {"referralId":"e\(number)_\(index)","referralCode":"a1b2c3d4","status":"\(status)",\
        "friendEmail":"e\(number)_\(index)@example.com","createdAt":\(time),"convertedAt":\(converted),\
        "referrerIdentifier":"cust_1","metadata":{"filler":"\(String(repeating: "x", count: 1000))"}}
        """
    }
    let count = total == .constant ? 1_000_000 : 1_000_000_000 - number * 100
    let page = query["page"] ?? "1"
    let body =
      #"{"referrals":[\#(referrals.joined(separator: ","))],"pagination":{"page":\#(page),"pageSize":100,"#
      + #""total":\#(count)}}"#
    return HTTPResponse(statusCode: .ok, headers: [.contentType: "application/json"], body: Data(body.utf8))
  }
}
