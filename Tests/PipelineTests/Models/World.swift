import Conversions
import Ledger
import Logging
import LoopFixtures
import ServiceLifecycle
import Synchronization
import TestHosts

@testable import Pipeline

/// A shop, an API, a clock and a real ledger, and loops that live in between.
final class World: Sendable {
  let activity: Activity
  let executor: LoopExecutor
  let clock: VirtualClock
  let shop: ModelShop
  let api: ModelAPI
  let ledger: WatchedLedger
  let lines: CapturedLog.Lines
  let context: PipelineContext
  let rules: AttributionRules
  private let folder: TemporaryFolder

  /// A world whose clock was confirmed, unless it is to be confirmed by the loops.
  convenience init(rules: AttributionRules = makeRules(), seed: UInt64 = 1, isClockConfirmed: Bool = true) throws {
    let activity = Activity()
    let clock = VirtualClock(activity)
    try self.init(
      activity: activity, clock: clock, shop: ModelShop(activity, clock), api: ModelAPI(activity, clock),
      folder: TemporaryFolder("pipeline"), lines: CapturedLog.Lines(), rules: rules, seed: seed)
    if isClockConfirmed { confirmClock() }
  }

  private init(
    activity: Activity, clock: VirtualClock, shop: ModelShop, api: ModelAPI, folder: TemporaryFolder,
    lines: CapturedLog.Lines, rules: AttributionRules, seed: UInt64
  ) throws {
    (self.activity, self.clock, self.shop, self.api) = (activity, clock, shop, api)
    (self.folder, self.lines, self.rules) = (folder, lines, rules)
    ledger = WatchedLedger(try SQLiteLedger(path: folder.path("ledger.sqlite")), activity)
    executor = LoopExecutor(activity)
    var context = PipelineContext(
      orders: shop, partners: api, ledger: ledger, clock: clock, jitter: Jitter(SeededGenerator(scenario: seed)),
      health: ComponentHealth(), log: Logger(label: "test") { _ in CapturedLog(lines: lines) })
    context.executor = executor
    self.context = context
  }

  /// The same world around a daemon that was started anew on the same ledger file.
  func restarted(seed: UInt64 = 2, isClockConfirmed: Bool = true) throws -> World {
    try ledger.close()
    let world = try World(
      activity: activity, clock: clock, shop: shop, api: api, folder: folder, lines: lines, rules: rules, seed: seed)
    if isClockConfirmed { world.confirmClock() }
    return world
  }

  /// Makes the API agree with the host's clock, right or wrong.
  func confirmClock() { context.clock.heard(AnswerHead(status: 200, date: clock.now)) }

  var intake: Intake { intake() }

  func intake(start: Intake.Start = .everything, pollInterval: Duration = .seconds(5)) -> Intake {
    let settings = Intake.Settings(start: start, pollInterval: pollInterval, sweepInterval: .seconds(60))
    return Intake(context, rules: rules, settings: settings)
  }

  var mirror: ReferralMirror { ReferralMirror(context) }
  var matching: Matching { Matching(context, rules: rules) }
  var delivery: Delivery { delivery() }

  func delivery(
    giveUpAfter: Duration = day * 30, isDryRun: Bool = false, stopGrace: Duration = .seconds(10)
  ) -> Delivery {
    Delivery(
      context, rules: rules,
      settings: Delivery.Settings(giveUpAfter: giveUpAfter, isDryRun: isDryRun, stopGrace: stopGrace))
  }
}
