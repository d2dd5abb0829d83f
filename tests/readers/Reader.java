// Reads a credential as SAP's Java library does and prints, as one line of JSON, what it found.
// java -cp '<jars>/*' Reader.java one-level|two-level <root> <label>
import com.sap.cloud.environment.servicebinding.SapServiceOperatorLayeredServiceBindingAccessor;
import com.sap.cloud.environment.servicebinding.SapServiceOperatorServiceBindingIoAccessor;
import com.sap.cloud.environment.servicebinding.api.ServiceBinding;
import com.sap.cloud.environment.servicebinding.api.ServiceBindingAccessor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONObject;

final class Reader {
  public static void main(String[] arguments) {
    String label = arguments[2];
    List<ServiceBinding> bindings = accessor(arguments[0], arguments[1]).getServiceBindings();
    JSONArray found = new JSONArray();
    for (ServiceBinding binding : bindings) {
      if (label.equals(binding.getServiceName().orElse(null))) {
        found.put(new JSONObject(binding.getCredentials()));
      }
    }
    System.out.println(new JSONObject(Map.of("java", found)));
  }

  private static ServiceBindingAccessor accessor(String layout, String root) {
    if (layout.equals("one-level")) {
      Map<String, String> environment = Map.of("SERVICE_BINDING_ROOT", root);
      return new SapServiceOperatorServiceBindingIoAccessor(environment::get, StandardCharsets.UTF_8);
    }
    return new SapServiceOperatorLayeredServiceBindingAccessor(
        Path.of(root), SapServiceOperatorLayeredServiceBindingAccessor.DEFAULT_PARSING_STRATEGIES);
  }
}
