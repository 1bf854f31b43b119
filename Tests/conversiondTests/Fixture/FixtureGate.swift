/// Lets a few fixtures run at a time: each is a daemon and a database, and a host with two cores should not be so busy
/// with starting them that time limits mean nothing.
actor FixtureGate {
  static let shared = FixtureGate(places: 10)

  private var places: Int
  private var queue: [CheckedContinuation<Void, Never>] = []

  init(places: Int) { self.places = places }

  func enter() async {
    if places > 0 {
      places -= 1
    } else {
      await withCheckedContinuation { queue.append($0) }
    }
  }

  func leave() {
    if queue.isEmpty {
      places += 1
    } else {
      queue.removeFirst().resume()
    }
  }
}
