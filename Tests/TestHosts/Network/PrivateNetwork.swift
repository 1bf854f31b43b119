import Foundation

/// A network of a process's own, joined to this host's by a cable that can be pulled: then nothing arrives any more,
/// and neither side is told. Gone with this object, or with the tests.
public final class PrivateNetwork: Sendable {
  private let holder: ChildProcess
  private let cable: String
  /// This host's address on it.
  public let address: String

  /// True if this host lets us make one.
  public static let isPermitted: Bool = {
    guard let trial = try? ChildProcess("unshare", ["--net", "ip", "link", "set", "lo", "up"]) else { return false }
    let deadline = ContinuousClock.now + .seconds(5)
    while trial.end == nil, ContinuousClock.now < deadline { usleep(2000) }
    return trial.end == .exited(0)
  }()

  /// Makes a network of two addresses.
  public init() async throws {
    let number = Int(getpid()) % 250 + 1
    cable = "cvd\(number)"
    address = "10.213.\(number).1"
    holder = try ChildProcess(
      "unshare", ["--net", "sh", "-c", "ip link set lo up && echo ready && exec sleep infinity"])
    let holder = holder
    guard await eventually(within: .seconds(10), { holder.standardOutput.contains("ready") }) else {
      throw TestHostError("no network: \(holder.standardError)")
    }
    let script = """
      ip link add \(cable) type veth peer name eth0 netns \(holder.pid) &&
      ip address add \(address)/30 dev \(cable) && ip link set \(cable) up &&
      nsenter --target \(holder.pid) --net ip address add 10.213.\(number).2/30 dev eth0 &&
      nsenter --target \(holder.pid) --net ip link set eth0 up
      """
    try await run(script)
  }

  /// A program that becomes another one, which is in this network.
  public var prefix: [String] { ["nsenter", "--target", String(holder.pid), "--net"] }

  /// Pulls the cable.
  public func cut() async throws { try await run("ip link set \(cable) down") }

  /// Plugs it in again.
  public func mend() async throws { try await run("ip link set \(cable) up") }

  private func run(_ script: String) async throws {
    let result = try await ChildProcess.run("sh", ["-c", script])
    guard result.end == .exited(0) else { throw TestHostError("network: \(result.errors)") }
  }
}
