import Foundation
import Postgres
import TestHosts

/// One run: a shop that is written to from all sides, the API, and the daemon between them.
struct Torture: Sendable {
  enum Scene: String, Sendable {
    /// The daemon reads the server that is written to.
    case primary
    /// The daemon reads a streaming standby of it.
    case standby
    /// Looks at recent changes alone: nothing is killed, and no sweep comes.
    case withoutTheSweep
  }

  let scene: Scene
  let settings: TortureSettings
  let database: TestDatabase
  let primary: PostgresCluster
  let shop: PostgresCluster
  let sandbox: SandboxProcess
  let clerk: ReferralClerk
  let daemon: DaemonProcess
  let sweeps = SweepWatch()

  static func run(_ scene: Scene, _ settings: TortureSettings) async throws -> TortureReport {
    let torture = try await Torture(scene, settings)
    do {
      let report = try await torture.run()
      await torture.end()
      return report
    } catch {
      print("torture \(scene) seed \(settings.seed): \(error)\n\(torture.daemon.log.suffix(3000))")
      await torture.end()
      throw error
    }
  }

  private init(_ scene: Scene, _ settings: TortureSettings) async throws {
    (self.scene, self.settings) = (scene, settings)
    primary = try await PostgresCluster.start(settings: [
      "track_commit_timestamp": "on", "max_prepared_transactions": "\(PreparedTransactions.serverMax)",
    ])
    database = try await primary.createDatabase()
    try await database.execute(ShopSchema.sql)
    shop = scene == .standby ? try await primary.startStandby() : primary
    sandbox = try await SandboxProcess()
    clerk = ReferralClerk(sandbox, settings: settings)
    daemon = try DaemonProcess(
      connection: shop.conninfo(database: database.name), sandbox: sandbox,
      sweepInterval: scene == .withoutTheSweep ? "1d" : "2s")
  }

  private func run() async throws -> TortureReport {
    try await clerk.setUp()
    let daemonStart = Date().timeIntervalSince1970
    try daemon.start()
    guard
      await eventually(within: .seconds(60), every: .milliseconds(200), { await daemon.status()?.caughtUpAt != nil })
    else { throw TestHostError("the daemon does not catch up") }
    let watch = Task { await sweeps.watch(daemon) }
    defer { watch.cancel() }
    let writers = try await write()
    try await finishPrepared()
    try await clerk.finish()
    let oracle = Oracle(database: database, sandbox: sandbox, daemon: daemon)
    try await oracle.load(await clerk.keys, await sweeps.sweeps, daemonStart: daemonStart)
    let counts = try await FinalCounts(oracle: oracle, daemon: daemon, sweeps: sweeps).read(
      expectsMisses: scene == .withoutTheSweep)
    return try await TortureReport(
      self, counts: counts, missed: oracle.missedOrders(), wrong: oracle.wrongConversions(), writers: writers)
  }

  /// Everything at once, for as long as it takes.
  private func write() async throws -> [Writer] {
    let prepared = PreparedTransactions()
    let writers = (0..<settings.writers).map {
      Writer($0, settings: settings, conninfo: database.conninfo, prepared: prepared)
    }
    let disturbances = Disturbances(daemon: daemon, primary: primary, shop: shop)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in writers { group.addTask { await writer.write() } }
      group.addTask { try await clerk.work(seconds: settings.seconds) }
      group.addTask {
        try await disturbances.happen(
          Disturbances.plan(for: scene), seconds: settings.seconds, seed: settings.seed)
      }
      try await group.waitForAll()
    }
    return writers
  }

  /// Commits what is still prepared when all else is long done, as an operator does with an abandoned transaction.
  private func finishPrepared() async throws {
    try await Task.sleep(for: .seconds(2))
    let names = try await database.execute("SELECT gid FROM pg_prepared_xacts").split(separator: "\n")
    for name in names { try await database.execute("COMMIT PREPARED '\(name)'") }
  }

  private func end() async {
    try? await daemon.stop(SIGTERM)
    await sandbox.end()
    if scene == .standby { try? await shop.stop(.immediate) }
    try? await primary.stop(.immediate)
  }
}
