import Conversions
import Postgres

/// The connection for looks at single orders: one of its own, so that none waits for a sweep; the sweeps' where no
/// second one is to be had, as of a role with CONNECTION LIMIT 1 or a pool of one session.
actor RereadConnection {
  /// The time after which a connection of its own is tried for again.
  static let sharedFor = Duration.seconds(600)

  private let own: ShopConnection
  private let sweeps: ShopConnection
  private var sharedUntil: ContinuousClock.Instant?
  /// A sentence for an operator while the sweeps' connection is shared; nil while it isn't.
  private(set) var warning: String?

  init(_ conninfo: String, sweeps: ShopConnection) {
    own = ShopConnection(conninfo)
    self.sweeps = sweeps
  }

  /// Runs work that only reads, as `ShopConnection.read` does.
  func read<Result: Sendable>(
    _ work: @Sendable (PostgresConnection) async throws -> Result
  ) async throws -> Result {
    try await hasOwn() ? own.read(work) : sweeps.read(work)
  }

  /// Tries for a connection of its own; false where the sweeps' is shared.
  ///
  /// - Throws: `PostgresError` where the server can't be reached at all, `CancellationError`.
  func hasOwn() async throws -> Bool {
    if await own.isOpen { return true }
    if let sharedUntil, .now < sharedUntil { return false }
    do {
      try await own.open()
      (sharedUntil, warning) = (nil, nil)
      return true
    } catch let error as PostgresError where error.meansNoSlot {
      // An outage like any other, if the sweeps have none either.
      guard await sweeps.isOpen else { throw error }
      share(because: error.message)
      return false
    }
  }

  /// Gives up its own connection for the sweeps', which can't get one; false where it has none.
  func giveUp() async -> Bool {
    guard await own.isOpen else { return false }
    await own.close()
    share(because: "the sweeps' connection was refused")
    return true
  }

  func close() async { await own.close() }

  private func share(because words: String) {
    sharedUntil = .now + Self.sharedFor
    warning =
      "no second connection to the shop's database is to be had (\(words)): orders are looked at before a report on the one "
      + "that reads them, and orders.notify_channel is not listened to; allow this role three connections"
  }
}
