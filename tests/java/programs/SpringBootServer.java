import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** One page, with Spring Boot's embedded Tomcat: what is special is in application.properties. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
@RestController
public class SpringBootServer {
  public static void main(String[] arguments) {
    SpringApplication.run(SpringBootServer.class, arguments);
  }

  @GetMapping("/")
  String page() {
    return "The key stays on its token.\n";
  }
}
