import Postgres
import TestHosts

/// One session of the shop, which writes until its time is over; a lost connection or a failed statement is part of it.
actor Writer {
  private let conninfo: String
  private let prepared: PreparedTransactions
  private let end: ContinuousClock.Instant
  private var open: PostgresConnection?
  var orders: OrderChoices
  /// Orders that it inserted and that were committed, for later changes.
  var own: [Int64] = []
  /// Those of them that are to become paid.
  var unpaid: [Int64] = []
  /// The number of times that each trouble was made.
  private(set) var made: [Trouble: Int] = [:]
  /// The number of failures, by SQLSTATE.
  private(set) var failures: [String: Int] = [:]

  init(_ number: Int, settings: TortureSettings, conninfo: String, prepared: PreparedTransactions) {
    orders = OrderChoices(settings, writer: number)
    self.conninfo = conninfo
    self.prepared = prepared
    end = .now + .seconds(settings.seconds)
  }

  func write() async {
    while ContinuousClock.now < end, !Task.isCancelled {
      let trouble = orders.choices.pick(Trouble.weights)
      do {
        try await make(trouble, over: try await connection())
        made[trouble, default: 0] += 1
      } catch {
        await recover(from: error)
      }
      await pause(0...60)
    }
    await open?.close()
  }

  private func make(_ trouble: Trouble, over connection: PostgresConnection) async throws {
    switch trouble {
    case .plain: try await insert(orders.next(trouble), connection)
    case .rival: try await insert(orders.rival(trouble), connection)
    case .stranger: for _ in 1...4 { try await insert(orders.stranger(trouble), connection) }
    case .shortTransaction: try await shortTransaction(connection)
    case .longTransaction: try await longTransaction(connection)
    case .earlySequence: try await earlySequence(connection)
    case .savepoints: try await savepoints(connection)
    case .rolledBack: try await rolledBack(connection)
    case .prepared: try await prepare(connection, in: prepared) { try await self.insertUncommitted(trouble, $0) }
    case .payPrepared: try await prepare(connection, in: prepared) { try await self.payUncommitted($0) }
    case .finishPrepared: try await finishPrepared(connection, in: prepared)
    case .pay, .payInSavepoint, .stopQualifying, .delete, .revalue, .touch: try await change(trouble, connection)
    }
  }

  /// Waits for some milliseconds, by choice.
  func pause(_ milliseconds: ClosedRange<Int>) async {
    try? await Task.sleep(for: .milliseconds(orders.choices.int(milliseconds)))
  }

  /// The polls of the daemons under test come every half second.
  static let severalPolls = 700...3500

  private func connection() async throws -> PostgresConnection {
    if let open, open.isUsable { return open }
    let connection = try await PostgresConnection.connect(to: conninfo, within: .seconds(5))
    // Prepared transactions keep their rows locked for long.
    _ = try await connection.query("SET lock_timeout = '500ms'")
    open = connection
    return connection
  }

  private func recover(from error: any Error) async {
    let state = (error as? PostgresError)?.sqlState?.rawValue
    failures[state ?? "lost", default: 0] += 1
    if let open, open.isUsable {
      _ = try? await open.query("ROLLBACK")
    } else {
      open = nil
      try? await Task.sleep(for: .milliseconds(50))
    }
  }
}
