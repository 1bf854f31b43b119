import Conversions
import FlyingFox
import FlyingSocks
import Foundation
import Glibc
import Ledger
import Logging
import Pipeline
import ServiceLifecycle

/// Answers commands over a Unix socket: HTTP, so that `curl --unix-socket` can look, too.
///
/// Answers only those who may open the socket: the daemon's umask leaves it to its user, and root may open anything.
struct ControlServer: Service {
  /// The seconds in which an answer must begin: to copy a large ledger takes longest. Commands give up by themselves.
  private static let answerMax = 900.0

  let path: String
  let ledgerPath: String
  let status: StatusSource
  let reloader: Reloader
  let log: Logger

  /// Serves until a graceful shutdown begins; a server that failed is started again.
  func run() async throws {
    await cancelWhenGracefulShutdown {
      var logged: String?
      while !Task.isCancelled {
        let began = ContinuousClock.now
        do {
          try await serve()
        } catch {
          if Task.isCancelled { break }
          // Said once for as long as it fails at once each time, as where no descriptors are free.
          if ContinuousClock.now - began > .seconds(30) { logged = nil }
          if logged != "\(error)" { log.warning("the control socket \(path) failed: \(error)") }
          logged = "\(error)"
          try? await Task.sleep(for: .seconds(1))
        }
      }
    }
    unsafe unlink(path)
  }

  private func serve() async throws {
    // Removes the socket of a killed daemon; a live one would hold the ledger's lock, and we would not be here.
    unsafe unlink(path)
    let server = HTTPServer(address: .unix(path: path), timeout: Self.answerMax, logger: .disabled, handler: router)
    let running = Task { try await server.run() }
    try await withTaskCancellationHandler {
      try await running.value
    } onCancel: {
      running.cancel()
    }
  }

  private var router: ClosureHTTPHandler {
    ClosureHTTPHandler { request in
      do {
        return try await answer(request)
      } catch let failure as LedgerFailure {
        return Self.failure(CommandFailure(failure), .serviceUnavailable)
      } catch let failure as CommandFailure {
        return Self.failure(failure, .badRequest)
      } catch {
        return Self.failure(CommandFailure(.internalError, "\(error)"), .internalServerError)
      }
    }
  }

  private func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
    switch (request.method, request.path) {
    case (.GET, "/v1/ledger"): return HTTPResponse(statusCode: .ok, body: Data(ledgerPath.utf8))
    case (.GET, "/v1/configuration"): return HTTPResponse(statusCode: .ok, body: Data(reloader.file.utf8))
    case (.POST, "/v1/reload"):
      let asked = try JSONDecoder.contract.decode(ReloadRequest.self, from: await request.bodyData)
      return try Self.json(await reloader.reload(asked: asked.by))
    case (.GET, "/v1/backup"): return Self.body(try await status.ledger.backup())
    case (.GET, "/v1/status"): return try Self.json(await status.report())
    case (.GET, "/v1/source"): return try Self.json(await status.source())
    case (.GET, "/v1/queue"): return try Self.json(await status.reports.entries(try QueueQuery.filter(request)))
    case (.GET, let path) where path.hasPrefix("/v1/queue/"):
      guard let number = Int64(path.dropFirst("/v1/queue/".count)) else { return Self.notFound }
      guard let entry = try await status.reports.entry(EntryID(number)) else { return Self.notFound }
      return try Self.json(entry)
    case (.POST, "/v1/orders"):
      let asked = try JSONDecoder.contract.decode(OrderQuestion.self, from: await request.bodyData)
      return try Self.json(EntryPage(entries: try await status.reports.entries(named: asked.order)))
    case (.POST, "/v1/queue"):
      let asked = try JSONDecoder.contract.decode(ActRequest.self, from: await request.bodyData)
      return try Self.json(await status.acts.answer(asked, at: status.clock.now))
    case (.POST, "/v1/forget"):
      let asked = try JSONDecoder.contract.decode(ForgetRequest.self, from: await request.bodyData)
      guard let report = try await status.forgetting.answer(asked, at: status.clock.now) else {
        return HTTPResponse(statusCode: .accepted)
      }
      return try Self.json(report)
    case (.POST, "/v1/resume"):
      let asked = try JSONDecoder.contract.decode(ResumeRequest.self, from: await request.bodyData)
      return try Self.json(await status.resume(asked))
    default: return Self.notFound
    }
  }

  private static func body(_ file: FileHandle) -> HTTPResponse {
    HTTPResponse(
      statusCode: .ok, headers: [.contentType: "application/vnd.sqlite3"],
      body: HTTPBodySequence(from: FileBody(file: file), count: FileBody.size(of: file), suggestedBufferSize: 1 << 18))
  }

  private static var notFound: HTTPResponse {
    failure(CommandFailure(.noSuchEntry, "no such entry"), .notFound)
  }

  private static func failure(_ failure: CommandFailure, _ status: HTTPStatusCode) -> HTTPResponse {
    let body = ControlError(error: failure.message, status: failure.status.rawValue)
    return (try? json(body, status)) ?? HTTPResponse(statusCode: status)
  }

  private static func json(_ value: some Encodable, _ status: HTTPStatusCode = .ok) throws -> HTTPResponse {
    HTTPResponse(
      statusCode: status, headers: [.contentType: "application/json"],
      body: Data(try JSONEncoder.contractText(value).utf8))
  }
}

/// The query of `/v1/queue`.
enum QueueQuery {
  static func filter(_ request: HTTPRequest) throws -> EntryFilter {
    var filter = EntryFilter(outcomes: [])
    for item in request.query {
      switch item.name {
      case "state":
        guard let outcome = Outcome(rawValue: item.value) else {
          throw CommandFailure(.usage, "no state \(item.value)")
        }
        filter.outcomes.append(outcome)
      case "reason": filter.reason = item.value
      case "before": filter.decidedBefore = Int64(item.value).map(Timestamp.init(microseconds:))
      case "after": filter.after = EntryID(Int64(item.value) ?? 0)
      case "limit": filter.limit = Int(item.value) ?? LedgerReports.pageMax
      default: throw CommandFailure(.usage, "no parameter \(item.name)")
      }
    }
    return filter
  }

  static func path(_ filter: EntryFilter) -> String {
    var items = filter.outcomes.map { URLQueryItem(name: "state", value: $0.rawValue) }
    if let reason = filter.reason { items.append(URLQueryItem(name: "reason", value: reason)) }
    if let before = filter.decidedBefore {
      items.append(URLQueryItem(name: "before", value: String(before.microseconds)))
    }
    items.append(URLQueryItem(name: "after", value: filter.after.description))
    items.append(URLQueryItem(name: "limit", value: String(filter.limit)))
    var components = URLComponents()
    components.path = "/v1/queue"
    components.queryItems = items
    return components.string ?? "/v1/queue"
  }
}
