import Conversions
import Logging
public import ServiceLifecycle

/// The loop that listens to the shop and rings intake's bell when orders changed. Where nobody can be listened to, orders
/// are found by polling all the same.
public struct ChangeListening: Service {
  /// How long a place that can't be listened to is left alone.
  static let silentInterval = Duration.seconds(600)

  private let surroundings: Surroundings

  /// Listens to the surroundings' shop.
  public init(_ surroundings: Surroundings) {
    self.surroundings = surroundings
  }

  /// Listens until the task is cancelled or a graceful shutdown begins.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  private func loop() async {
    var failures = 0
    var told: String?
    while !Task.isCancelled {
      do {
        try await surroundings.orders.change()
        (failures, told) = (0, nil)
        surroundings.intakeBell.ring()
      } catch is CancellationError where Task.isCancelled {
        return
      } catch {
        // Intake tells of a database that is down; that nobody speaks is worth a line of its own.
        let isSilent = (error as? OrderSourceFailure)?.kind == .silent
        if isSilent, told != "\(error)" {
          told = "\(error)"
          surroundings.log.event(
            .pollWarning, .notice, "orders.notify_channel is not listened to, orders are polled for: \(error)")
        }
        failures += 1
        let wait = await surroundings.chance.wait(.reconnect, afterFailures: failures)
        try? await surroundings.clock.sleep(for: isSilent ? Self.silentInterval : wait)
      }
    }
  }
}
