import Conversions
import Postgres

/// The connection on which the shop says that orders changed. One waiter at a time.
actor ListeningConnection {
  private let conninfo: String
  private let channel: String
  private var connection: PostgresConnection?

  init(_ conninfo: String, channel: String) {
    self.conninfo = conninfo
    self.channel = channel
  }

  /// Returns at the next notification, or at once when the connection was made anew: any that came meanwhile is lost.
  ///
  /// - Throws: `OrderSourceFailure` of kind `silent` behind a pooler or on a standby, where no notification ever comes.
  func wait() async throws {
    if let connection, connection.isUsable { return try await connection.notification() }
    let made: PostgresConnection
    do {
      made = try await PostgresConnection.connect(to: conninfo)
      try await made.answers(within: ShopConnection.answerMax)
    } catch let error as PostgresError where error.meansNoSlot {
      throw OrderSourceFailure(
        kind: .silent, sqlState: error.sqlState?.rawValue, message: "no connection to spare: \(error.message)")
    }
    do {
      guard try await made.listen(to: channel) else {
        throw OrderSourceFailure(
          kind: .silent, message: "a pooler stands before the database: it would hand LISTEN on to another session")
      }
    } catch let error as PostgresError where !error.isConnectionLost {
      await made.close()
      throw OrderSourceFailure(kind: .silent, sqlState: error.sqlState?.rawValue, message: error.message)
    } catch {
      await made.close()
      throw error
    }
    connection = made
  }

  func close() async {
    await connection?.close()
    connection = nil
  }
}
