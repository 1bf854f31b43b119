internal import FlyingSocks

/// The one pool that waits for the sockets of every sandbox of this process.
///
/// One for all, because each pool that ends leaves a descriptor of its own behind, and tests start sandboxes by
/// the hundred.
actor SharedSocketPool {
  static let shared = SharedSocketPool()

  private var starting: Task<any AsyncSocketPool, any Error>?

  /// The pool, started at the first call.
  func pool() async throws -> any AsyncSocketPool {
    if let starting { return try await starting.value }
    let starting = Task.detached { () -> any AsyncSocketPool in
      let pool: some AsyncSocketPool = .make(maxEvents: 128)
      try await pool.prepare()
      Task.detached { try await pool.run() }
      return pool
    }
    self.starting = starting
    return try await starting.value
  }
}
