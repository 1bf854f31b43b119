internal import FlyingSocks

/// The one pool that waits for the sockets of every sandbox of this process.
///
/// Serves all sandboxes, because each pool that ends leaves a descriptor of its own behind, and tests start sandboxes
/// by the hundred.
actor SharedSocketPool {
  static let shared = SharedSocketPool()

  private var starting: Task<SocketPool<ePoll>, any Error>?

  /// Returns the pool, started at the first call.
  func pool() async throws -> SocketPool<ePoll> {
    if let starting { return try await starting.value }
    let starting = Task.detached { () -> SocketPool<ePoll> in
      let pool = SocketPool<ePoll>.ePoll(maxEvents: 128)
      try await pool.prepare()
      Task.detached { try await pool.run() }
      return pool
    }
    self.starting = starting
    return try await starting.value
  }

  /// Closes a socket that no task waits for any more.
  ///
  /// A waiter is resumed a moment before the pool forgets its descriptor. Closed within that moment, the
  /// descriptor's number would stay registered, and the next connection that gets it would never wake up.
  func close(_ socket: AsyncSocket) async {
    if let pool = try? await pool() { await pool.settle() }
    try? socket.close()
  }
}

extension SocketPool {
  /// Returns once the pool is done with what it was at.
  fileprivate func settle() {}
}
