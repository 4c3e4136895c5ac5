package io.github.distlock.simulator.zookeeper;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;
import org.apache.jute.Record;
import org.apache.zookeeper.MultiResponse;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.proto.Create2Response;
import org.apache.zookeeper.proto.CreateResponse;
import org.apache.zookeeper.proto.ExistsResponse;
import org.apache.zookeeper.proto.GetChildrenResponse;
import org.apache.zookeeper.proto.GetDataResponse;
import org.apache.zookeeper.proto.ReplyHeader;
import org.apache.zookeeper.proto.SetDataResponse;
import org.apache.zookeeper.proto.SyncResponse;
import org.apache.zookeeper.proto.WatcherEvent;
import org.jspecify.annotations.Nullable;

/** A message of a server. */
record Message(ReplyHeader header, @Nullable Record body) {
    static final int EVENT = -1;
    static final int PING = -2;
    static final int SET_WATCHES = -8;

    static @Nullable Record bodyOf(int xid, IntUnaryOperator types) {
        return switch (xid) {
            case EVENT -> new WatcherEvent();
            case PING, SET_WATCHES -> null;
            default -> body(types.applyAsInt(xid));
        };
    }

    private static @Nullable Record body(int type) {
        return switch (type) {
            case OpCode.create -> new CreateResponse();
            case OpCode.create2, OpCode.createContainer, OpCode.createTTL -> new Create2Response();
            case OpCode.setData -> new SetDataResponse();
            case OpCode.exists -> new ExistsResponse();
            case OpCode.getData -> new GetDataResponse();
            case OpCode.getChildren -> new GetChildrenResponse();
            case OpCode.sync -> new SyncResponse();
            case OpCode.multi -> new MultiResponse();
            default -> null;
        };
    }

    boolean isEvent() {
        return header.getXid() == EVENT;
    }

    /** Returns this message in words, with numbers that two servers have in common. */
    String text(Numbers numbers) {
        String zxid = header.getZxid() < 0 ? "?" : numbers.zxid(header.getZxid());
        return header.getXid() + " at " + zxid + " error " + header.getErr() + " " + text(body, numbers);
    }

    private static String text(@Nullable Record body, Numbers numbers) {
        if (body == null) {
            return "";
        } else if (body instanceof WatcherEvent event) {
            return "event " + event.getType() + " state " + event.getState() + " " + event.getPath();
        } else if (body instanceof CreateResponse created) {
            return created.getPath();
        } else if (body instanceof Create2Response created) {
            return created.getPath() + " " + text(created.getStat(), numbers);
        } else if (body instanceof SetDataResponse written) {
            return text(written.getStat(), numbers);
        } else if (body instanceof ExistsResponse found) {
            return text(found.getStat(), numbers);
        } else if (body instanceof GetDataResponse found) {
            return Arrays.toString(found.getData()) + " " + text(found.getStat(), numbers);
        } else if (body instanceof GetChildrenResponse listed) {
            return listed.getChildren().stream().sorted().toList().toString();
        } else if (body instanceof SyncResponse synced) {
            return synced.getPath();
        }
        List<OpResult> results = ((MultiResponse) body).getResultList();
        return results.stream().map(result -> text(result, numbers)).collect(Collectors.joining("; "));
    }

    private static String text(OpResult result, Numbers numbers) {
        if (result instanceof OpResult.CreateResult created) {
            Stat stat = created.getStat();
            return "created " + created.getPath() + (stat == null ? "" : " " + text(stat, numbers));
        } else if (result instanceof OpResult.SetDataResult written) {
            return "written " + text(written.getStat(), numbers);
        } else if (result instanceof OpResult.ErrorResult refused) {
            return "error " + refused.getErr();
        }
        return result.getClass().getSimpleName();
    }

    private static String text(Stat stat, Numbers numbers) {
        numbers.time(stat.getCzxid(), stat.getCtime());
        numbers.time(stat.getMzxid(), stat.getMtime());
        return "{c " + numbers.zxid(stat.getCzxid()) + " m " + numbers.zxid(stat.getMzxid()) + " p "
                + numbers.zxid(stat.getPzxid()) + " version " + stat.getVersion() + " cversion " + stat.getCversion()
                + " aversion " + stat.getAversion() + " owner " + numbers.session(stat.getEphemeralOwner())
                + " length " + stat.getDataLength() + " children " + stat.getNumChildren() + "}";
    }
}
