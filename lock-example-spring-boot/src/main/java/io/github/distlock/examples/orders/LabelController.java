package io.github.distlock.examples.orders;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/**
 * The labels of parcels, in memory. Other services write the label of a parcel while they hold its lock.
 * {@link FencedRequests} rejects their late requests.
 */
@RestController
class LabelController {
    private final Map<String, String> labels = new ConcurrentHashMap<>();
    private final Printer printer;

    LabelController(Printer printer) {
        this.printer = printer;
    }

    @GetMapping("/labels/{parcel}")
    String label(@PathVariable("parcel") String parcel) {
        String label = labels.get(parcel);
        if (label == null) {
            throw new ResponseStatusException(HttpStatus.NOT_FOUND);
        }
        return label;
    }

    @PutMapping("/labels/{parcel}")
    void write(@PathVariable("parcel") String parcel, @RequestBody String label) throws InterruptedException {
        printer.print(label);
        labels.put(parcel, label);
    }
}
