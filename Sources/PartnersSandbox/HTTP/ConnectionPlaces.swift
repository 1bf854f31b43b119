internal import Synchronization

/// Counts the connections that are being served.
final class ConnectionPlaces: Sendable {
  private let free: Mutex<Int>

  init(_ count: Int) { free = Mutex(count) }

  /// Takes a place; false where none is free.
  func take() -> Bool {
    free.withLock { free in
      guard free > 0 else { return false }
      free -= 1
      return true
    }
  }

  /// Gives a place back.
  func leave() { free.withLock { $0 += 1 } }
}
