package io.github.distlock.examples.fencing;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.zookeeper.ZooKeeperFence;
import java.util.List;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.transaction.CuratorOp;

/** Balances in nodes of ZooKeeper. */
final class ZooKeeperAccount implements Account {
    private final CuratorFramework client;
    private final ZooKeeperFence fence;

    ZooKeeperAccount(CuratorFramework client) {
        this.client = client;
        this.fence = new ZooKeeperFence(client);
    }

    void create() throws Exception {
        for (String node : List.of("/accounts/7", "/accounts/8")) {
            client.create().creatingParentsIfNeeded().forPath(node, "100".getBytes(UTF_8));
        }
    }

    @Override
    public void write(String balance, long token) throws Exception {
        CuratorOp write = client.transactionOp().setData().forPath("/accounts/7", balance.getBytes(UTF_8));
        fence.commit("/fences/account-7", token, List.of(write));
    }

    @Override
    public void writeUnfenced(String balance) throws Exception {
        client.setData().forPath("/accounts/8", balance.getBytes(UTF_8));
    }

    @Override
    public String balance() throws Exception {
        return read("/accounts/7");
    }

    @Override
    public String unfencedBalance() throws Exception {
        return read("/accounts/8");
    }

    private String read(String node) throws Exception {
        return new String(client.getData().forPath(node), UTF_8);
    }
}
