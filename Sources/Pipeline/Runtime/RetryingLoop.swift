import Conversions
import Logging

/// Runs a loop's steps one after the other until its task is cancelled. Waits each failure out, longer after each in a row,
/// and tells of them as one outage and in the component's health.
///
/// An outage is named by its cause, not by the loop that meets it: a full disk that was told as `poll_failed` sent operators
/// to the shop's database.
struct RetryingLoop {
  /// A failure of a step, as an operator is told of it.
  struct Failure {
    var message: String
    /// The part that failed, for `status`; the ledger's failures are its own in any case.
    var component: ComponentHealth.Component?
    var level = Logger.Level.error
    /// True if only a person ends it.
    var isHalt = false
    var fields: [String: String?] = [:]
    /// True if it belongs to normal work: told only within an outage, and not waited out longer each time.
    var isExpected = false
    /// The least wait after it.
    var waitMin = Duration.zero
  }

  private let context: PipelineContext
  /// The loop, as it is watched.
  private let name: WatchedLoop
  /// The outage that failures are told as; nil for a loop that tells of them itself.
  private var outage: Outage?
  /// The outage that failures of the shop's database are told as; nil where the other one serves.
  private var shopOutage: Outage?
  /// The outage that failures of the ledger are told as.
  private var ledgerOutage: Outage?
  private var failures = 0

  init(_ context: PipelineContext, _ name: WatchedLoop, outage: Outage? = nil, shopOutage: Outage? = nil) {
    (self.context, self.name, self.outage, self.shopOutage) = (context, name, outage, shopOutage)
    ledgerOutage = Outage(
      of: name.rawValue, failed: .ledgerFailed, recovered: .ledgerRecovered, reporter: context.ledgerReporter)
  }

  /// Runs `step` again and again; what it throws is taken in as `failure` describes it.
  mutating func run(
    _ step: (inout Self) async throws -> Void, failure describe: (any Error) async -> Failure
  ) async {
    await context.progress.run(name) {
      while !Task.isCancelled {
        context.progress.mark(name)
        do {
          try await step(&self)
        } catch is CancellationError where Task.isCancelled {
          return
        } catch {
          await waitOut(Self.byCause(error, await describe(error)))
        }
      }
    }
  }

  /// Ends the outage, and notes that a component works.
  mutating func succeed(_ component: ComponentHealth.Component? = nil) {
    failures = 0
    let (uptime, log) = (context.clock.uptime, context.log)
    outage?.succeed(at: uptime, log: log)
    shopOutage?.succeed(at: uptime, log: log)
    if ledgerOutage?.since != nil { context.health.succeeded(.ledger, at: context.clock.now) }
    ledgerOutage?.succeed(at: uptime, log: log)
    if let component { context.health.succeeded(component, at: context.clock.now) }
  }

  /// A failure of the ledger as what it is, whatever the loop was at.
  private static func byCause(_ error: any Error, _ described: Failure) -> Failure {
    guard let failure = error as? LedgerFailure else { return described }
    return Failure(
      message: "\(failure)", component: .ledger, fields: ["reason": failure.kind.reason], waitMin: described.waitMin)
  }

  private mutating func waitOut(_ failure: Failure) async {
    var wait = Duration.zero
    if !failure.isExpected || failures > 0 {
      failures += 1
      if let component = failure.component {
        context.health.failed(component, failure.message, at: context.clock.now)
      }
      switch failure.component {
      case .ledger: Self.log(failure, &ledgerOutage, context)
      case .database where shopOutage != nil: Self.log(failure, &shopOutage, context)
      default: Self.log(failure, &outage, context)
      }
    }
    if !failure.isExpected { wait = await context.jitter.wait(.reconnect, afterFailures: failures) }
    try? await context.clock.sleep(for: max(wait, failure.waitMin))
  }

  private static func log(_ failure: Failure, _ outage: inout Outage?, _ context: PipelineContext) {
    outage?.fail(
      failure.message, level: failure.level, isHalt: failure.isHalt, at: context.clock.uptime, log: context.log,
      fields: failure.fields)
  }
}

extension LedgerFailure.Kind {
  /// The kind in a code, as the journal's field `reason` has it.
  fileprivate var reason: String {
    switch self {
    case .newer, .damaged, .locked, .permission, .io, .other: rawValue
    case .otherSource: "other_source"
    case .noFolder: "no_folder"
    case .diskFull: "disk_full"
    }
  }
}
