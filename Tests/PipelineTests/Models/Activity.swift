import Synchronization

/// What goes on in the models, so that a test's time goes on only while nothing else does.
final class Activity: Sendable {
  struct Snapshot: Equatable {
    var underWay = 0
    var count = 0
  }

  private let state = Mutex(Snapshot())

  var snapshot: Snapshot { state.withLock { $0 } }

  /// Counts something that takes no time.
  func note() { state.withLock { $0.count += 1 } }

  func begin() {
    state.withLock {
      $0.underWay += 1
      $0.count += 1
    }
  }

  func end() {
    state.withLock {
      $0.underWay -= 1
      $0.count += 1
    }
  }
}
